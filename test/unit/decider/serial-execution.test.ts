/**
 * The promise behind command handlers, as a property: whatever two handlers of the same logs and a
 * foreign writer do at once, the logs are what some serial execution of the accepted commands makes
 * of them, and every caller was told the truth about its own.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { commandHandler } from '../../../src/decider/command-handler.ts';
import { handle } from '../../../src/decider/handle.ts';
import type { EventId } from '../../../src/event/event-id.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import type { EventLog } from '../../../src/log/log.ts';
import { MemoryLog } from '../../../src/log/memory/memory-log.ts';
import { MemoryRecords } from '../../../src/records/memory/memory-records.ts';
import { seededRandom } from '../../../src/testing/seeded.ts';
import { account, bank, type Move, NotEnoughMoney } from './bank.ts';

interface Step extends Move {
  readonly by: 'first handler' | 'second handler' | 'handle' | 'stranger';
  readonly commandId: string | undefined;
  /** Whether the others get a turn before the next step. */
  readonly pause: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  by: fc.constantFrom('first handler', 'first handler', 'second handler', 'handle', 'stranger'),
  account: fc.constantFrom('1', '1', '1', '2'),
  amount: fc.integer({ min: -6, max: 4 }),
  parts: fc.constantFrom(1, 1, 1, 2, 3),
  commandId: fc.option(fc.constantFrom('a', 'b', 'c'), { freq: 6, nil: undefined }),
  pause: fc.boolean(),
});

/** Answers come after a random number of turns, so that calls overlap in every way. */
function slow(eventLog: EventLog, random: () => number): Pick<EventLog, 'append' | 'read'> {
  const turns = async () => {
    for (let left = Math.floor(random() * 6); left > 0; left -= 1) await Promise.resolve();
  };
  return {
    append: async (...call) => {
      await turns();
      const appended = await eventLog.append(...call);
      await turns();
      return appended;
    },
    read: async (...call) => {
      await turns();
      const page = await eventLog.read(...call);
      await turns();
      return page;
    },
  };
}

it('equals a serial execution', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 60 }),
      fc.nat(),
      async (steps, seed) => {
        const memory = new MemoryLog();
        const records = new MemoryRecords();
        const random = seededRandom(seed);
        const options = {
          ...{ retries: 200, random, sleep: async () => {}, snapshots: { records, every: 4 } },
        };
        const [first, second] = [0, 1].map(() =>
          commandHandler(slow(memory, random), account, { ...options, cache: 1 }),
        );
        const run = ({ by, commandId, pause: _, ...move }: Step) => {
          if (by === 'first handler') return first!.handle(move, { commandId });
          if (by === 'second handler') return second!.handle(move, { commandId });
          return handle(slow(memory, random), account, move, { ...options, commandId });
        };

        const running: Promise<unknown>[] = [];
        const outcomes: {
          step: Step;
          handled?: Awaited<ReturnType<typeof run>>;
          error?: unknown;
        }[] = [];
        for (const one of steps) {
          if (one.by === 'stranger') {
            const log = `account:${one.account}` as LogName;
            running.push(memory.append(log, [bank.create('Deposited', { amount: 1 })]));
          } else {
            running.push(
              run(one).then(
                (handled) => outcomes.push({ step: one, handled }),
                (error: unknown) => outcomes.push({ step: one, error }),
              ),
            );
          }
          if (one.pause) await Promise.resolve();
        }
        await Promise.all(running);
        await Promise.all([first!.close(), second!.close()]);

        const states = new Map<string, { balance: number; moves: number }>();
        const eventsIn = new Map<string, { id: EventId; type: string; payload: unknown }[]>();
        for (const name of ['account:1', 'account:2']) {
          const { events } = await memory.read(name as LogName, { limit: 10_000 });
          eventsIn.set(
            name,
            events.map(({ id, type, payload }) => ({ id, type, payload })),
          );
          let state = account.initial;
          states.set(`${name} 0-0`, state);
          for (const event of events) {
            state = account.evolve(state, { type: event.type, payload: event.payload } as never);
            // No command was ever decided on a state that was not the one right before its events.
            expect(state.balance).toBeGreaterThanOrEqual(0);
            states.set(`${name} ${event.id}`, state);
          }
        }

        const claimed = new Set<string>();
        for (const { step: one, handled, error } of outcomes) {
          const name = `account:${one.account}`;
          if (handled === undefined) {
            expect(error).toBeInstanceOf(NotEnoughMoney);
            continue;
          }
          expect(handled.state).toEqual(states.get(`${name} ${handled.version}`));
          const places = handled.events.map(({ id }) =>
            eventsIn.get(name)!.findIndex((event) => event.id === id),
          );
          if (handled.duplicate) continue;
          expect(handled.events.length).toBe(one.amount === 0 ? 0 : one.parts);
          places.forEach((place, index) => {
            expect(place).toBe(places[0]! + index);
            expect(eventsIn.get(name)![place]).toMatchObject({
              type: one.amount > 0 ? 'Deposited' : 'Withdrawn',
              payload: { amount: Math.abs(one.amount) },
            });
            expect(claimed).not.toContain(`${name} ${place}`);
            claimed.add(`${name} ${place}`);
          });
        }
        // And nothing is in the logs that nobody was told of.
        const strangers = steps.filter(({ by }) => by === 'stranger').length;
        const all = eventsIn.get('account:1')!.length + eventsIn.get('account:2')!.length;
        expect(claimed.size + strangers).toBe(all);
      },
    ),
    { numRuns: 150 },
  );
});
