/**
 * Specifications of deciders: given these events, when this command comes, then these events (or
 * this error). For any test runner: what does not hold throws an AssertionError.
 */
import { AssertionError, deepStrictEqual } from 'node:assert/strict';
import type { Decider } from '../decider/decider.ts';
import { newEventsOf } from '../decider/new-events.ts';
import { copyOf } from '../event/copy.ts';
import { encodeEvents, type NewEvent, type StoredEvent, storedEvent } from '../event/event.ts';
import { makeEventId } from '../event/event-id.ts';
import { deepFreeze } from '../event/frozen.ts';
import type { LogName } from '../event/log-name.ts';
import { isA, textOf } from '../event/thrown.ts';
import type { EventDefinitions, EventFrom } from '../typed/event-types.ts';

const LOG = 'spec:1' as LogName;
/** The given events come a millisecond after each other, from the first moment of 2026. */
const START = Date.UTC(2026, 0, 1);
/** What a command is expected to lead to. */
export type Expected<Payloads extends object> =
  /** These events and no others, `[]` for none. Their meta counts where it is given. */
  | EventFrom<Payloads>
  | readonly EventFrom<Payloads>[]
  /** To be refused, by an error of this class. */
  | (abstract new (
      ...args: never
    ) => Error)
  /** To be refused, by an error with this message. */
  | RegExp
  /** To be refused, by an error of the same class with the same message. */
  | Error;

/** The steps of one specification. */
export interface Given<Command, Payloads extends object> {
  when(command: Command): When<Payloads>;
}

export interface When<Payloads extends object> {
  /** @throws AssertionError with the difference, when the decider decides otherwise */
  then(expected: Expected<Payloads>): void;
}

/**
 * Begins specifications of a decider:
 *
 *     const given = specify(account);
 *     given([bank.create('Deposited', { amount: 5 })])
 *       .when({ account: '1', withdraw: 3 })
 *       .then([bank.create('Withdrawn', { amount: 3 })]);
 *     given([]).when({ account: '1', withdraw: 3 }).then(NotEnoughMoney);
 *
 * Events and states are frozen, so that a `decide` or `evolve` that changes what it is given fails.
 * The given events go through the definitions as they do on their way into a log and out of it.
 */
export function specify<State, Command, Payloads extends object>(
  decider: Decider<State, Command, Payloads>,
): (events: readonly EventFrom<Payloads>[]) => Given<Command, Payloads> {
  return (events) => {
    const state = stateAfter(decider, events);
    return {
      when: (command) => ({
        // It reads as given, when, then; nobody awaits it, and who does is told.
        // biome-ignore lint/suspicious/noThenProperty: the last word of the pattern
        then: (expected, ...more: unknown[]) => {
          if (more.length > 0)
            throw new TypeError('then takes what is expected; do not await a specification');
          check(decider, decide(decider, deepFreeze(command), state), expected);
        },
      }),
    };
  };
}

type Outcome = { readonly events: readonly NewEvent[] } | { readonly error: unknown };

function decide<State, Command, Payloads extends object>(
  decider: Decider<State, Command, Payloads>,
  command: Command,
  state: State,
): Outcome {
  try {
    return { events: newEventsOf(decider, command, state) };
  } catch (error) {
    return { error };
  }
}

function stateAfter<State, Command, Payloads extends object>(
  decider: Decider<State, Command, Payloads>,
  events: readonly EventFrom<Payloads>[],
): State {
  let state = deepFreeze(copyOf(decider.initial));
  for (const stored of asStored(encodeAll(decider, events))) {
    const event = decider.read(LOG, stored);
    if (event !== undefined) state = deepFreeze(decider.evolve(state, deepFreeze(event)));
  }
  return state;
}

function check<State, Command, Payloads extends object>(
  decider: Decider<State, Command, Payloads>,
  outcome: Outcome,
  expected: Expected<Payloads>,
): void {
  if (isRefusal(expected)) {
    if ('error' in outcome) checkError(outcome.error, expected);
    else
      fail(
        `the command was not refused, as ${nameOf(expected)} was expected`,
        outcome.events,
        expected,
      );
  } else if ('error' in outcome) {
    fail(
      `the command was refused: ${shown(outcome.error)}`,
      outcome.error,
      expected,
      outcome.error,
    );
  } else {
    const wanted = Array.isArray(expected) ? expected : [expected];
    checkEvents(outcome.events, encodeAll(decider, wanted));
  }
}

function isRefusal(expected: unknown): expected is RegExp | Error | (new () => Error) {
  return expected instanceof RegExp || expected instanceof Error || typeof expected === 'function';
}

function checkError(error: unknown, expected: RegExp | Error | (new () => Error)): void {
  if (expected instanceof RegExp) {
    if (expected.test(messageOf(error))) return;
  } else if (expected instanceof Error) {
    const isSame = isA(error, Error) && error.constructor === expected.constructor;
    if (isSame && error.message === expected.message) return;
  } else if (isA(error, expected)) {
    return;
  }
  fail(
    `the command was refused by ${shown(error)}, not by ${nameOf(expected)}`,
    error,
    expected,
    error,
  );
}

function nameOf(expected: RegExp | Error | (new () => Error)): string {
  return typeof expected === 'function' ? expected.name : String(expected);
}

function checkEvents(actual: readonly NewEvent[], expected: readonly NewEvent[]): void {
  const wanted = asStored(expected).map(plain);
  const found = asStored(actual).map((stored, index) => {
    const { meta: _, ...event } = plain(stored);
    return wanted[index]?.meta === undefined ? event : plain(stored);
  });
  try {
    deepStrictEqual(found, wanted);
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    const [, ...difference] = error.message.split('\n');
    fail(`the command led to other events:\n${difference.join('\n')}`, found, wanted);
  }
}

function fail(message: string, actual: unknown, expected: unknown, cause?: unknown): never {
  const error = new AssertionError({
    ...{ message, actual, expected },
    operator: 'then',
    stackStartFn: check,
  });
  throw cause === undefined ? error : Object.assign(error, { cause });
}

function encodeAll<Payloads extends object>(
  { events: definitions }: { readonly events: EventDefinitions<Payloads> | undefined },
  events: readonly EventFrom<Payloads>[],
): NewEvent[] {
  return events.map((event) =>
    definitions === undefined ? (event as NewEvent) : definitions.encode(event),
  );
}

function asStored(events: readonly NewEvent[]): StoredEvent[] {
  const encoded = events.length === 0 ? [] : encodeEvents(events);
  return encoded.map((event, index) => storedEvent(makeEventId(START + index, 0), event));
}

function plain({ type, payload, meta }: StoredEvent): NewEvent {
  return meta === undefined ? { type, payload } : { type, payload, meta };
}

function messageOf(error: unknown): string {
  return isA(error, Error) && typeof error.message === 'string' ? error.message : textOf(error);
}

function shown(error: unknown): string {
  try {
    return `${error}`;
  } catch {
    return textOf(error);
  }
}
