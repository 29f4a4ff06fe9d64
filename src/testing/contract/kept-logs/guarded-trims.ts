import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import {
  type EventId,
  eventIdParts,
  predecessorOf,
  successorOf,
  ZERO_ID,
} from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import { eventually } from '../eventually.ts';
import { appendMany, appendOne, idsOf } from '../log/say.ts';
import type { KeepingLog, KeptLogsSuite } from './kept-logs-under-test.ts';
import { look, seen } from './looking.ts';

async function stampOf(store: KeepingLog, log: LogName): Promise<string> {
  return (await look(store, log, { limit: 0 })).stamp;
}

/** What the log holds, as its readers see it. */
async function held(store: KeepingLog, log: LogName): Promise<EventId[]> {
  return idsOf(await store.read(log, { limit: 10_000 }));
}

export function guardedTrimTests(suite: KeptLogsSuite): void {
  suite.topic('a trim under a condition', () => {
    suite.it('forgets what was read, while the log is as it was', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 6);
      const condition = await stampOf(store, test.log);
      strictEqual(await store.kept.trim(test.log, ids[3]!, { condition, fence: 1 }), 'trimmed');
      const page = await store.read(test.log, { after: ids[0] });
      deepStrictEqual(page.standing, { state: 'trimmed', resumeAfter: ids[3] });
      deepStrictEqual(idsOf(page), ids.slice(4));
      deepStrictEqual((await store.read(test.log, { after: ids[3] })).standing, {
        state: 'whole',
      });
    });

    suite.it('does not mind what was appended since', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 3);
      const condition = await stampOf(store, test.log);
      const [newer, outcome] = await Promise.all([
        appendMany(store, test.log, 20),
        store.kept.trim(test.log, ids[2]!, { condition, fence: 1 }),
      ]);
      strictEqual(outcome, 'trimmed');
      deepStrictEqual(await held(store, test.log), newer);
    });

    suite.it('may be of all that there is, and of a log that was trimmed before', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 1_200);
      for (const through of [ids[699]!, ids[700]!, ids[1_199]!]) {
        const condition = await stampOf(store, test.log);
        strictEqual(await store.kept.trim(test.log, through, { condition, fence: 1 }), 'trimmed');
        deepStrictEqual(await held(store, test.log), ids.slice(ids.indexOf(through) + 1));
      }
      const page = await store.read(test.log, { after: ids[1_199] });
      deepStrictEqual([page.version, page.standing], [ids[1_199], { state: 'whole' }]);
    });

    suite.it('is refused when somebody has trimmed since, however far', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 6);
      for (const [index, theirs] of [ids[0]!, ids[2]!, ids[4]!].entries()) {
        const condition = await stampOf(store, test.log);
        await store.trim(test.log, theirs);
        for (const ours of [ids[1]!, ids[2]!, ids[4]!, ids[5]!]) {
          const guard = { condition, fence: index };
          strictEqual(await store.kept.trim(test.log, ours, guard), 'changed');
        }
        deepStrictEqual(await held(store, test.log), ids.slice(ids.indexOf(theirs) + 1));
      }
    });

    suite.it('is refused to the slower of two who go different ways', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 6);
      const condition = await stampOf(store, test.log);
      const guard = { condition, fence: 1 };
      const outcomes = await Promise.all(
        [ids[1]!, ids[3]!, ids[0]!].map((through) => store.kept.trim(test.log, through, guard)),
      );
      deepStrictEqual(outcomes, ['trimmed', 'changed', 'trimmed']);
      deepStrictEqual(await held(store, test.log), ids.slice(2));
    });

    suite.it('is refused for what is no event of the log', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 3);
      const condition = await stampOf(store, test.log);
      const guard = { condition, fence: 1 };
      const others = [predecessorOf(ids[0]!), successorOf(ids[2]!)!];
      for (const through of others) {
        strictEqual(await store.kept.trim(test.log, through, guard), 'changed');
      }
      deepStrictEqual(await held(store, test.log), ids);
    });

    suite.it('leaves nothing behind where there is no log', async (test) => {
      const store = await test.open();
      const condition = await stampOf(store, test.log);
      const through = '1526919030474-55' as EventId;
      strictEqual(await store.kept.trim(test.log, through, { condition, fence: 9 }), 'changed');
      const { ids } = await store.append(test.log, [{ type: 'T', payload: '' }], {
        expected: ZERO_ID,
      });
      const now = await stampOf(store, test.log);
      strictEqual(
        await store.kept.trim(test.log, ids[0]!, { condition: now, fence: 1 }),
        'trimmed',
      );
    });

    suite.with(['foreign'], 'is refused when others have taken something away', async (test) => {
      const store = await test.open();
      const deeds: ((log: LogName, ids: readonly EventId[]) => Promise<unknown>)[] = [
        (log, ids) => test.foreign.remove(log, ids[0]!),
        (log, ids) => test.foreign.remove(log, ids[2]!),
        (log, ids) => test.foreign.remove(log, ids[3]!),
        // Of what would stay. It is not known which it was.
        (log, ids) => test.foreign.remove(log, ids[5]!),
        (log) => test.foreign.trim(log, 5),
        (log) => test.foreign.trim(log, 1),
        (log) => test.foreign.drop(log),
        async (log, ids) => {
          await test.foreign.drop(log);
          // Otherwise it may give out the same IDs, and nobody could tell.
          const { milliseconds } = eventIdParts(ids[0]!);
          await eventually(() => Date.now() > Number(milliseconds) + 1);
          await appendMany(store, log, 6);
        },
      ];
      for (const [index, deed] of deeds.entries()) {
        const log = `${test.log}-${index}` as LogName;
        const ids = await appendMany(store, log, 6);
        const condition = await stampOf(store, log);
        await deed(log, ids);
        const before = await look(store, log);
        strictEqual(await store.kept.trim(log, ids[3]!, { condition, fence: 1 }), 'changed');
        const after = await look(store, log);
        deepStrictEqual([seen(after), after.stamp], [seen(before), before.stamp]);
      }
    });

    suite.with(['backup'], 'is refused when the store has lost what was read', async (test) => {
      const before = await test.open();
      const kept = await appendMany(before, test.log, 2);
      await before.close();
      const restore = await test.backup(test.log);
      const doomed = await test.open();
      const lost = await appendMany(doomed, test.log, 3);
      const condition = await stampOf(doomed, test.log);
      await doomed.close();
      await restore();

      const store = await test.open();
      const newer = await appendOne(store, test.log);
      strictEqual(await store.kept.trim(test.log, lost[2]!, { condition, fence: 1 }), 'changed');
      deepStrictEqual(await held(store, test.log), [...kept, newer]);
    });
  });

  suite.topic('a trim under a fence', () => {
    suite.it('is refused when a newer one has come, and only then', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 6);
      let at = 0;
      for (const [fence, outcome] of [
        [5, 'trimmed'],
        [5, 'trimmed'],
        [4, 'fenced'],
        [7, 'trimmed'],
        [5, 'fenced'],
        [7, 'trimmed'],
      ] as const) {
        const condition = await stampOf(store, test.log);
        strictEqual(await store.kept.trim(test.log, ids[at]!, { condition, fence }), outcome);
        if (outcome === 'trimmed') at += 1;
        deepStrictEqual(await held(store, test.log), ids.slice(at));
      }
    });

    suite.it('is refused also when the newer one found the log changed', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 4);
      const condition = await stampOf(store, test.log);
      const trim = (fence: number, seen: string) =>
        store.kept.trim(test.log, ids[1]!, { condition: seen, fence });
      strictEqual(await trim(2, 'as it never was'), 'changed');
      strictEqual(await trim(1, condition), 'fenced');
      deepStrictEqual(await held(store, test.log), ids);
      strictEqual(await trim(2, condition), 'trimmed');
    });

    suite.it('is remembered over a reopening, and through appends', async (test) => {
      const first = await test.open();
      const ids = await appendMany(first, test.log, 4);
      const condition = await stampOf(first, test.log);
      const greatest = Number.MAX_SAFE_INTEGER;
      const trim = (store: KeepingLog, through: EventId, fence: number, seen: string) =>
        store.kept.trim(test.log, through, { condition: seen, fence });
      strictEqual(await trim(first, ids[0]!, greatest, condition), 'trimmed');
      await appendOne(first, test.log);
      await first.close();

      const second = await test.open();
      await appendOne(second, test.log);
      const now = await stampOf(second, test.log);
      strictEqual(await trim(second, ids[1]!, greatest - 1, now), 'fenced');
      strictEqual(await trim(second, ids[1]!, greatest, now), 'trimmed');
    });

    suite.it('is no hindrance to who wants events forgotten', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 4);
      const condition = await stampOf(store, test.log);
      await store.kept.trim(test.log, ids[0]!, { condition, fence: 8 });
      await store.trim(test.log, ids[2]!);
      deepStrictEqual(await held(store, test.log), ids.slice(3));
      strictEqual(await store.kept.trim(test.log, ids[3]!), 'trimmed');
      deepStrictEqual(await held(store, test.log), []);
    });
  });

  suite.topic('the repeat of a guarded trim', () => {
    suite.it('is answered as the first, and takes nothing more', async (test) => {
      const first = await test.open();
      const ids = await appendMany(first, test.log, 6);
      const guard = { condition: await stampOf(first, test.log), fence: 3 };
      strictEqual(await first.kept.trim(test.log, ids[2]!, guard), 'trimmed');
      const stamp = await stampOf(first, test.log);
      const newer = await appendOne(first, test.log);
      const kept = [...ids.slice(3), newer];
      await first.close();

      const second = await test.open();
      for (const fence of [3, 3, 4]) {
        const again = { ...guard, fence };
        strictEqual(await second.kept.trim(test.log, ids[2]!, again), 'trimmed');
        deepStrictEqual(await held(second, test.log), kept);
        strictEqual(await stampOf(second, test.log), stamp);
      }
      // Of one before it, too: it is part of what has been forgotten.
      strictEqual(await second.kept.trim(test.log, ids[1]!, { ...guard, fence: 4 }), 'trimmed');
      deepStrictEqual(await held(second, test.log), kept);
    });

    suite.it('is fenced when somebody else has gone on', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 6);
      const guard = { condition: await stampOf(store, test.log), fence: 3 };
      strictEqual(await store.kept.trim(test.log, ids[2]!, guard), 'trimmed');
      const condition = await stampOf(store, test.log);
      strictEqual(await store.kept.trim(test.log, ids[4]!, { condition, fence: 4 }), 'trimmed');
      strictEqual(await store.kept.trim(test.log, ids[2]!, guard), 'fenced');
      deepStrictEqual(await held(store, test.log), [ids[5]]);
    });

    suite.it('is harmless also after a trim that went further', async (test) => {
      const store = await test.open();
      const ids = await appendMany(store, test.log, 6);
      const guard = { condition: await stampOf(store, test.log), fence: 3 };
      await store.kept.trim(test.log, ids[2]!, guard);
      await store.trim(test.log, ids[4]!);
      strictEqual(await store.kept.trim(test.log, ids[2]!, guard), 'trimmed');
      const page = await store.read(test.log);
      deepStrictEqual(page.standing, { state: 'trimmed', resumeAfter: ids[4] });
      deepStrictEqual(idsOf(page), [ids[5]]);
    });
  });
}
