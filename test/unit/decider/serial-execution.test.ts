/**
 * The promise behind command handlers, as a property: whatever two handlers of the same logs and a
 * foreign writer do at once, the logs are what some serial execution of the accepted commands makes
 * of them, and every caller was told the truth about its own.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StateOf } from '../../../src/decider/decider.ts';
import { CommandIdReused } from '../../../src/decider/errors.ts';
import type { Handled } from '../../../src/decider/handling/command.ts';
import { commandHandler } from '../../../src/decider/handling/command-handler.ts';
import { commandHash } from '../../../src/decider/handling/command-id.ts';
import { handle } from '../../../src/decider/handling/handle.ts';
import type { StoredEvent } from '../../../src/event/event.ts';
import { type EventId, ZERO_ID } from '../../../src/event/event-id.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import type { EventLog } from '../../../src/log/log.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../../src/stores/memory/records/memory-records.ts';
import { seededRandom } from '../../../src/testing/seeded.ts';
import type { PayloadsOf } from '../../../src/typed/event-types.ts';
import { account, bank, type Move, NotEnoughMoney } from './bank.ts';

interface Step extends Move {
  readonly by: 'first handler' | 'second handler' | 'handle' | 'stranger';
  readonly commandId: string | undefined;
  /** How many turns the others get before the next step. */
  readonly pause: number;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  by: fc.constantFrom('first handler', 'first handler', 'second handler', 'handle', 'stranger'),
  account: fc.constantFrom('1', '1', '1', '2'),
  amount: fc.integer({ min: -7, max: 5 }),
  parts: fc.constantFrom(1, 1, 1, 2, 3),
  commandId: fc.oneof(
    { weight: 7, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('a', 'b', 'c') },
  ),
  pause: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 2, 20),
});

/** Under an ID mostly the same command comes again, and now and then another one. */
const step = anyStep.map((one) =>
  one.commandId === undefined || one.amount === -7 ? one : { ...one, amount: 2, parts: 1 },
);

/** What somebody was told, with the versions that the log had when they asked and when they knew. */
interface Told {
  readonly step: Step;
  readonly begun: EventId;
  readonly ended: EventId;
  readonly handled?: Handled<State, PayloadsOf<typeof bank>>;
  readonly error?: unknown;
}

type State = StateOf<typeof account>;

/** Answers come after a random number of turns, so that calls overlap in every way. */
function slow(eventLog: EventLog, random: () => number): Pick<EventLog, 'append' | 'read'> {
  const turns = async () => {
    for (let left = Math.floor(random() * 6); left > 0; left -= 1) await Promise.resolve();
  };
  const slowly =
    <Call extends unknown[], Answer>(call: (...call: Call) => Promise<Answer>) =>
    async (...parameters: Call) => {
      await turns();
      const answer = await call(...parameters);
      await turns();
      return answer;
    };
  return {
    append: slowly((...call: Parameters<EventLog['append']>) => eventLog.append(...call)),
    read: slowly((...call: Parameters<EventLog['read']>) => eventLog.read(...call)),
  };
}

async function play(memory: MemoryLog, steps: readonly Step[], seed: number): Promise<Told[]> {
  const random = seededRandom(seed);
  const snapshots = { records: new MemoryRecords(), every: 4 };
  const options = { retries: { attempts: 200, random }, sleep: async () => {}, snapshots };
  const handlers = {
    'first handler': commandHandler(slow(memory, random), account, { ...options, cache: 1 }),
    'second handler': commandHandler(slow(memory, random), account, { ...options, cache: 1 }),
  };
  const told: Told[] = [];
  const run = async (one: Step) => {
    const { by, commandId, pause: _, ...move } = one;
    const name = logOf(one);
    if (by === 'stranger') {
      await memory.append(name, [bank.create('Deposited', { amount: 1 })]);
      return;
    }
    const { version: begun } = await memory.read(name, { limit: 0 });
    const outcome = await (by === 'handle'
      ? handle(slow(memory, random), account, move, { ...options, commandId })
      : handlers[by].handle(move, { commandId })
    ).then(
      (handled) => ({ handled }),
      (error: unknown) => ({ error }),
    );
    const { version: ended } = await memory.read(name, { limit: 0 });
    told.push({ step: one, begun, ended, ...outcome });
  };
  const running: Promise<void>[] = [];
  for (const one of steps) {
    running.push(run(one));
    for (let turns = one.pause; turns > 0; turns -= 1) await Promise.resolve();
  }
  await Promise.all(running);
  await Promise.all(Object.values(handlers).map((handler) => handler.close()));
  return told;
}

/** A log as it is in the end: the state at each version. */
class History {
  readonly versions: EventId[] = [ZERO_ID];
  readonly states: State[] = [account.initial];
  readonly events: StoredEvent[];

  constructor(events: readonly StoredEvent[]) {
    this.events = [...events];
    for (const event of events) {
      const { type, payload } = event;
      this.versions.push(event.id);
      this.states.push(account.evolve(this.states.at(-1)!, { type, payload } as never));
    }
  }

  /** Of the command that came first under the ID. */
  hashOf(commandId: string | undefined): unknown {
    return this.events.find(({ meta }) => meta?.commandId === commandId)?.meta?.commandHash;
  }

  /** The states that the log had from one version to another. */
  between(begun: EventId, ended: EventId): State[] {
    return this.states.slice(this.versions.indexOf(begun), this.versions.indexOf(ended) + 1);
  }
}

function hashOf({ by: _by, commandId: _id, pause: _pause, ...move }: Step): string {
  return commandHash(account.name, move);
}

function logOf({ account }: Step): LogName {
  return `account:${account}` as LogName;
}

/** @returns the places of the command's events in the log */
function checkTold(history: History, { step: one, begun, ended, handled, error }: Told): number[] {
  const { amount, parts = 1 } = one;
  if (error instanceof CommandIdReused) {
    expect(history.hashOf(one.commandId)).toBeDefined();
    expect(history.hashOf(one.commandId)).not.toBe(hashOf(one));
    return [];
  }
  if (handled === undefined) {
    expect(error).toBeInstanceOf(NotEnoughMoney);
    const during = history.between(begun, ended);
    expect(during.some(({ balance }) => balance + amount * parts < 0)).toBe(true);
    return [];
  }
  const place = history.versions.indexOf(handled.version);
  expect(handled.state).toEqual(history.states[place]);
  expect(history.between(begun, ended)).toContain(history.states[place]);
  if (handled.duplicate) {
    expect(history.hashOf(one.commandId)).toBe(hashOf(one));
    return [];
  }

  expect(handled.events.length).toBe(amount === 0 ? 0 : parts);
  const places = handled.events.map((_, index) => place - handled.events.length + index);
  const before = history.states[place - handled.events.length];
  // The state that it was decided on was the one right before its events.
  if (amount < 0) expect(before!.balance + amount * parts).toBeGreaterThanOrEqual(0);
  for (const [index, event] of handled.events.entries()) {
    expect(history.events[places[index]!]).toMatchObject({
      ...{ id: event.id, type: amount > 0 ? 'Deposited' : 'Withdrawn' },
      payload: { amount: Math.abs(amount) },
    });
  }
  return places;
}

it('equals a serial execution', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 60 }),
      fc.nat(),
      async (steps, seed) => {
        const memory = new MemoryLog();
        await memory.append('account:1' as LogName, [bank.create('Deposited', { amount: 20 })]);
        const told = await play(memory, steps, seed);
        for (const [id, money] of [
          ['1', 1],
          ['2', 0],
        ] as const) {
          const { events } = await memory.read(`account:${id}` as LogName, { limit: 10_000 });
          const history = new History(events);
          const places = told
            .filter((one) => one.step.account === id)
            .flatMap((one) => checkTold(history, one));
          // Each event is of one command or of a stranger; nobody's is missing or counted twice.
          const strangers = steps.filter(({ by, account }) => by === 'stranger' && account === id);
          expect(new Set(places).size).toBe(places.length);
          expect(places.length + strangers.length + money).toBe(events.length);
        }
      },
    ),
    { numRuns: 100 },
  );
});
