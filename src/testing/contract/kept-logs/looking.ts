import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict';
import { type EventId, predecessorOf, ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { LogRange, Sight } from '../../../log/kept-logs.ts';
import { appendMany, appendOne, shifted } from '../log/say.ts';
import type { KeepingLog, KeptLogsSuite } from './kept-logs-under-test.ts';

const ALL: LogRange = { after: ZERO_ID, reverse: false };

interface Looked {
  readonly cursor?: EventId;
  readonly range?: Partial<LogRange>;
  readonly limit?: number;
  readonly maxBytes?: number;
}

export function look(store: KeepingLog, log: LogName, options: Looked = {}): Promise<Sight> {
  const { cursor, range, limit = 1_000, maxBytes = 1_000_000 } = options;
  return store.kept.look(log, { cursor, range: { ...ALL, ...range }, limit, maxBytes });
}

export function seen({ events }: Sight): EventId[] {
  return events.map(({ id }) => id);
}

export function lookingTests(suite: KeptLogsSuite): void {
  suite.topic('a look', () => {
    suite.it('finds a log that never had an event empty', async (test) => {
      const store = await test.open();
      const { facts, stamp: _, ...sight } = await look(store, test.log, { cursor: ZERO_ID });
      deepStrictEqual(sight, { version: ZERO_ID, events: [], more: false });
      deepStrictEqual(facts, {
        version: ZERO_ID,
        first: undefined,
        trimmed: ZERO_ID,
        maxDeleted: ZERO_ID,
        othersRemoved: false,
        holdsCursor: false,
      });
    });

    suite.it('gives the range, as much as fits', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 6);
      for (const [range, limit, expected, more] of [
        [{}, 10, ids, false],
        [{ after: ids[1]! }, 2, ids.slice(2, 4), true],
        [{ after: ids[1]!, before: ids[4]! }, 2, ids.slice(2, 4), false],
        [{ before: ids[2]!, reverse: true }, 10, [ids[1], ids[0]], false],
        [{ after: ids[2]!, reverse: true }, 2, [ids[5], ids[4]], true],
        [{ after: ids[5]! }, 10, [], false],
        [{}, 0, [], true],
      ] as [Partial<LogRange>, number, EventId[], boolean][]) {
        const sight = await look(store, test.log, { range, limit });
        deepStrictEqual(seen(sight), expected);
        strictEqual(sight.more, more);
        strictEqual(sight.version, ids[5]);
      }
      const small = await look(store, test.log, { maxBytes: 1 });
      deepStrictEqual([seen(small), small.more], [[ids[0]], true]);
    });

    suite.it('tells no facts where nobody is asked about', async (test) => {
      const store = await test.open();
      await appendMany(store, test.log, 2);
      strictEqual((await look(store, test.log)).facts, undefined);
      strictEqual((await look(store, test.log, { range: { reverse: true } })).facts, undefined);
    });

    suite.it('tells of a cursor whether it is held, wherever the range lies', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 5);
      const ranges: Partial<LogRange>[] = [
        {},
        { after: ids[1]! },
        { after: ids[4]! },
        { before: ids[1]! },
        { after: ids[0]!, before: ids[0]! },
      ];
      for (const range of ranges) {
        for (const cursor of ids) {
          for (const limit of [0, 1, 1_000]) {
            const { facts } = await look(store, test.log, { cursor, range, limit });
            strictEqual(facts?.holdsCursor, true);
          }
        }
        const absent = [ZERO_ID, predecessorOf(ids[0]!), shifted(ids[4]!, 5n)];
        for (const cursor of absent) {
          const { facts } = await look(store, test.log, { cursor, range });
          deepStrictEqual([facts?.holdsCursor, facts?.first], [false, ids[0]]);
        }
      }
    });

    suite.it('does not leave the event of the cursor out of another range', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 4);
      const after = predecessorOf(ids[0]!);
      const sight = await look(store, test.log, { cursor: ids[2]!, range: { after } });
      deepStrictEqual(seen(sight), ids);
      strictEqual(sight.facts?.holdsCursor, true);
    });

    suite.it('sees nothing of what was trimmed', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 6);
      await store.kept.trim(test.log, ids[2]!);
      for (const cursor of [ZERO_ID, ids[0]!, ids[1]!]) {
        const { facts, events } = await look(store, test.log, { cursor });
        deepStrictEqual(
          events.map(({ id }) => id),
          ids.slice(3),
        );
        deepStrictEqual(
          [facts?.trimmed, facts?.first, facts?.holdsCursor, facts?.othersRemoved],
          [ids[2], ids[3], false, false],
        );
      }
      for (const range of [{ reverse: true }, { after: ids[0]!, before: ids[2]! }]) {
        const sight = await look(store, test.log, { range });
        ok(seen(sight).every((id) => ids.indexOf(id) > 2));
        strictEqual(sight.more, false);
      }
    });
  });

  suite.topic('what is kept', () => {
    suite.it('is not to be had any more from a closed log', async (test) => {
      const store = await test.open();
      const [id] = await appendMany(store, test.log, 2);
      const { stamp: condition } = await look(store, test.log);
      await store.close();
      await rejects(look(store, test.log), { code: 'closed' });
      await rejects(store.kept.trim(test.log, id!), { code: 'closed' });
      await rejects(store.kept.trim(test.log, id!, { condition, fence: 1 }), { code: 'closed' });
    });

    suite.with(['occupy'], 'may be no log: it is said so, and left', async (test) => {
      const store = await test.open();
      await test.occupy(test.log);
      const through = '1526919030474-55' as EventId;
      const guard = { condition: '', fence: 1 };
      await rejects(look(store, test.log, { cursor: through }), { code: 'wrong_type' });
      await rejects(store.kept.trim(test.log, through, guard), { code: 'wrong_type' });
    });
  });

  suite.topic('the stamp of a log', () => {
    suite.it('stays while events are only added, and over a reopening', async (test) => {
      const first = await test.open();
      await appendMany(first, test.log, 3);
      const { stamp } = await look(first, test.log);
      await appendMany(first, test.log, 3);
      strictEqual((await look(first, test.log, { range: { reverse: true } })).stamp, stamp);
      await first.close();
      strictEqual((await look(await test.open(), test.log, { limit: 0 })).stamp, stamp);
    });

    suite.it('is another one after a trim, also of a trimmed log', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 4);
      const stamps = [(await look(store, test.log)).stamp];
      for (const through of [ids[0]!, ids[1]!, ids[3]!]) {
        await store.trim(test.log, through);
        stamps.push((await look(store, test.log)).stamp);
      }
      strictEqual(new Set(stamps).size, 4);
      await store.trim(test.log, ids[2]!);
      strictEqual((await look(store, test.log)).stamp, stamps[3]);
    });

    suite.with(['foreign'], 'is another one after what others do', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 6);
      const deeds = [
        () => test.foreign.remove(test.log, ids[3]!),
        () => test.foreign.remove(test.log, ids[5]!),
        () => test.foreign.remove(test.log, ids[0]!),
        () => test.foreign.trim(test.log, 2),
        async () => {
          await test.foreign.drop(test.log);
          await appendOne(store, test.log);
        },
      ];
      let before = (await look(store, test.log)).stamp;
      for (const deed of deeds) {
        await deed();
        const { stamp } = await look(store, test.log);
        notStrictEqual(stamp, before);
        before = stamp;
      }
    });
  });
}
