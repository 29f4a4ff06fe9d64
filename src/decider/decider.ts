/**
 * Deciders: the functional core of event sourcing, after Jérémie Chassaing's "Functional Event
 * Sourcing Decider" (https://thinkbeforecoding.com/post/2021/12/17/functional-event-sourcing-decider).
 *
 *   events ──evolve──► state ──decide(command)──► events
 *
 * Both functions are pure: they look at nothing but their arguments and change none of them. That
 * is why a command can be decided again when somebody else was faster.
 */
import { InvalidInput } from '../event/error.ts';
import type { Payload, StoredEvent } from '../event/event.ts';
import type { LogName } from '../event/log-name.ts';
import { textOfWriters, type WhoseEvents, type Writers } from '../event/senders.ts';
import { type NoticeOptions, observer } from '../metrics/observer.ts';
import { EventReading } from '../typed/event-reading.ts';
import type {
  EventDefinitions,
  EventFrom,
  RecordedFrom,
  UnknownRecorded,
} from '../typed/event-types.ts';
import { evolving } from './evolving.ts';
import { explained } from './kept-state.ts';
import { sha256 } from './sha256.ts';

/** Payloads of events that nobody has defined. */
export type UntypedPayloads = Readonly<Record<string, Payload>>;

/** What a command leads to: an event, several (appended all or none), or nothing. */
export type Decision<Payloads extends object> =
  | EventFrom<Payloads>
  | readonly EventFrom<Payloads>[]
  | undefined;

/** What {@link decider} is given. */
export interface DeciderDefinition<State, Command, Payloads extends object>
  extends WhoseEvents,
    NoticeOptions {
  /** 1 to 64 characters of `A-Z a-z 0-9 . _ -`; names its snapshots. */
  readonly name: string;
  /** Left out: events of any type and payload. */
  readonly events?: EventDefinitions<Payloads> | undefined;
  /**
   * The log that a command is for, as `category:id`. Left out: whoever handles a command names it.
   * (Written above `decide`, its parameter has to be annotated too.)
   */
  readonly log?: ((command: Command) => string) | undefined;
  /** The state of a log without events; each log gets a copy of it. */
  readonly initial: State;
  /** What the command leads to, in this state. Throws to refuse it: whoever handles it gets that error. */
  readonly decide: (command: Command, state: State) => Decision<NoInfer<Payloads>>;
  /**
   * The state after an event. It answers a new state and leaves the old one as it was: others have
   * that, too. Unless `NODE_ENV` is `production`, states are frozen (plain objects, arrays, maps and
   * sets), so that it throws otherwise (in code that is not strict it just has no effect). Events that
   * the definitions do not know are not handed to it (or are an error, by their policy). An event of
   * a client that it throws for is passed over: the state stays as it was.
   */
  readonly evolve: (state: State, event: RecordedFrom<NoInfer<Payloads>>) => NoInfer<State>;
  /**
   * The version of `evolve`, for snapshots: with another one, or with other `writers`, they are
   * computed afresh. Default: a hash of `initial` and of the source text of `evolve` and of the
   * upcasts, which does not see what these call.
   */
  readonly version?: string | number | undefined;
}

/** A {@link DeciderDefinition} that was checked. */
export interface Decider<State, Command, Payloads extends object = UntypedPayloads> {
  readonly name: string;
  readonly events: EventDefinitions<Payloads> | undefined;
  readonly writers: Writers | undefined;
  readonly initial: State;
  /** What its snapshots are good for. */
  readonly version: string;
  /** What those say that were made when `initial` was not looked at; they are good as well. */
  readonly formerVersion?: string | undefined;
  /**
   * A stored event as `evolve` gets it; undefined for one that does not count.
   * @throws UnreadableEvent
   */
  read(log: LogName, stored: StoredEvent): RecordedFrom<Payloads> | undefined;
  log?(command: Command): string;
  decide(command: Command, state: State): Decision<Payloads>;
  evolve(state: State, event: RecordedFrom<Payloads>): State;
}

/** The state that a decider computes. */
export type StateOf<Definition> = Definition extends { readonly initial: infer State }
  ? State
  : never;

const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Defines a decider. The types follow by themselves: the state from `initial`, the events from
 * `events`, and the command from the parameter of `decide`, which is the one to annotate.
 *
 *     const account = decider({
 *       name: 'account',
 *       events: bank,
 *       initial: { balance: 0 },
 *       decide(command: Withdraw, state) {
 *         if (command.amount > state.balance) throw new Error('not enough money');
 *         return bank.create('Withdrawn', { amount: command.amount });
 *       },
 *       evolve: (state, event) => …,
 *       log: (command) => `account:${command.account}`,
 *     });
 *
 * Where `initial` says too little about the state, as with one of several kinds, annotate the
 * state of `decide` and what `evolve` answers; no cast is needed:
 *
 *     initial: { status: 'open' },
 *     decide: (command: Pay, state: Order) => …,
 *     evolve: (state, event): Order => …,
 *
 * @throws InvalidInput naming the field that breaks a rule
 */
export function decider<State, Command, Payloads extends object = UntypedPayloads>(
  definition: DeciderDefinition<State, Command, Payloads>,
): Decider<State, Command, Payloads> {
  const { name, events, writers, initial, log, version } = definition;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new InvalidInput('name', 'must be 1 to 64 characters of A-Z a-z 0-9 . _ -');
  }
  for (const field of ['decide', 'evolve'] as const) mustBeFunction(definition[field], field);
  if (log !== undefined) mustBeFunction(log, 'log');
  if (events !== undefined && typeof events.decode !== 'function') {
    throw new InvalidInput('events', 'must be what defineEvents answers');
  }
  const reading = new EventReading<RecordedFrom<Payloads> | UnknownRecorded>({
    ...{ events, writers, by: `the decider ${name}`, notice: observer(definition).notice },
  });
  const readBy = version ?? sha256(`${definition.evolve}\n${events?.readingText ?? ''}`);
  const whose = textOfWriters(writers);
  const formerVersion = whose === '' ? String(readBy) : `${readBy} by ${sha256(whose)}`;
  const from = version === undefined ? ` from ${sha256(jsonOf(initial))}` : '';
  return {
    name,
    events,
    writers,
    initial,
    version: `${formerVersion}${from}`,
    formerVersion,
    read(log, stored) {
      const event = reading.read(log, stored);
      return event?.unknown === true ? undefined : (event as RecordedFrom<Payloads> | undefined);
    },
    ...(log && { log: (command: Command) => log(command) }),
    decide(command, state) {
      try {
        return definition.decide(command, state);
      } catch (error) {
        throw explained(error, `decide of decider ${name}`);
      }
    },
    evolve: evolving(definition.evolve, reading, `decider ${name}`),
  };
}

/** A state that is no JSON has no snapshots. */
function jsonOf(initial: unknown): string {
  try {
    return JSON.stringify(initial) ?? '';
  } catch {
    return '';
  }
}

function mustBeFunction(value: unknown, field: string): void {
  if (typeof value !== 'function') throw new InvalidInput(field, 'must be a function');
}
