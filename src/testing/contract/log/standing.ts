import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { type EventId, predecessorOf, successorOf, ZERO_ID } from '../../../event/event-id.ts';
import type { LogSuite } from './log-under-test.ts';
import { appendMany, appendOne, idsOf, shifted } from './say.ts';

const WHOLE = { state: 'whole' };

/** Where a reader stands whose cursor no trim explains. Trims: `trimming.ts`; deletions: `foreign.ts`. */
export function standingTests(suite: LogSuite): void {
  suite.topic('a cursor', () => {
    suite.it('goes on after its event while that is there', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 5);
      for (const [index, after] of ids.entries()) {
        const page = await eventLog.read(test.log, { after });
        deepStrictEqual(page.standing, WHOLE);
        deepStrictEqual(idsOf(page), ids.slice(index + 1));
      }
    });

    suite.it('of 0-0 asks for everything', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 3);
      const page = await eventLog.read(test.log, { after: ZERO_ID });
      deepStrictEqual(page.standing, WHOLE);
      deepStrictEqual(idsOf(page), ids);
    });

    suite.it('beyond the version is reset', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 3);
      for (const after of [successorOf(ids[2]!)!, shifted(ids[2]!, 1_000_000n)]) {
        const page = await eventLog.read(test.log, { after });
        deepStrictEqual(page.standing, { state: 'reset', version: ids[2] });
        deepStrictEqual(idsOf(page), ids);
      }
    });

    suite.it('of another life of a log that has no events now is reset', async (test) => {
      const eventLog = await test.open();
      const page = await eventLog.read(test.log, { after: '1526919030474-55' as EventId });
      deepStrictEqual(page, {
        events: [],
        more: false,
        version: ZERO_ID,
        standing: { state: 'reset', version: ZERO_ID },
      });
    });

    suite.it('on an ID that no event has is reset', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 3);
      for (const after of [
        predecessorOf(ids[0]!),
        shifted(ids[1]!, -100n),
        successorOf(ZERO_ID)!,
      ]) {
        const page = await eventLog.read(test.log, { after });
        deepStrictEqual(page.standing, { state: 'reset', version: ids[2] });
        deepStrictEqual(idsOf(page), ids);
      }
    });

    suite.it('is told also on a page that is bounded', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 5);
      const after = shifted(ids[4]!, 1n);
      const page = await eventLog.read(test.log, { after, limit: 2 });
      deepStrictEqual(page.standing, { state: 'reset', version: ids[4] });
      deepStrictEqual(idsOf(page), ids.slice(0, 2));
      strictEqual(page.more, true);
    });

    suite.it('is not checked when it is a place in time', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 4);
      await eventLog.trim(test.log, ids[1]!);
      for (const [after, events] of [
        [ZERO_ID, ids.slice(2)],
        [shifted(ids[0]!, -5n), ids.slice(2)],
        [ids[0], ids.slice(2)],
        [ids[2], ids.slice(3)],
        [predecessorOf(ids[3]!), [ids[3]]],
        [shifted(ids[3]!, 1_000n), []],
      ] as [EventId, EventId[]][]) {
        const page = await eventLog.read(test.log, { after, unchecked: true });
        deepStrictEqual(page.standing, WHOLE);
        deepStrictEqual(idsOf(page), events);
      }
    });

    suite.it('is not checked by a reverse read', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 4);
      await eventLog.trim(test.log, ids[1]!);
      for (const after of [ZERO_ID, ids[0]!, shifted(ids[3]!, 1n)]) {
        const page = await eventLog.read(test.log, { after, reverse: true });
        deepStrictEqual(page.standing, WHOLE);
      }
    });
  });

  suite.topic('a store that lost its tail', () => {
    suite.with(['backup'], 'resets who had seen what is lost, and nobody else', async (test) => {
      const before = await test.open();
      const kept = await appendMany(before, test.log, 3);
      await before.close();
      const restore = await test.backup(test.log);
      const doomed = await test.open();
      const lost = await appendMany(doomed, test.log, 3);
      await doomed.close();
      await restore();

      const eventLog = await test.open();
      for (const after of lost) {
        const page = await eventLog.read(test.log, { after });
        deepStrictEqual(page.standing, { state: 'reset', version: kept[2] });
        deepStrictEqual(idsOf(page), kept);
      }
      for (const after of kept) {
        deepStrictEqual((await eventLog.read(test.log, { after })).standing, WHOLE);
      }
    });

    suite.with(['backup'], 'resets them also after newer appends', async (test) => {
      const before = await test.open();
      const kept = await appendMany(before, test.log, 3);
      await before.close();
      const restore = await test.backup(test.log);
      const doomed = await test.open();
      const lost = await appendMany(doomed, test.log, 3);
      await doomed.close();
      await restore();

      const eventLog = await test.open();
      const newer: EventId[] = [];
      for (let round = 0; round < 3; round += 1) {
        newer.push(await appendOne(eventLog, test.log));
        for (const after of lost) {
          if (newer.includes(after)) continue;
          const page = await eventLog.read(test.log, { after });
          deepStrictEqual(page.standing, { state: 'reset', version: newer.at(-1) });
          deepStrictEqual(idsOf(page), [...kept, ...newer]);
        }
      }
      deepStrictEqual((await eventLog.read(test.log, { after: kept[2] })).standing, WHOLE);
    });

    suite.with(['backup'], 'resets from the first kept event of a trimmed log', async (test) => {
      const before = await test.open();
      const ids = await appendMany(before, test.log, 4);
      await before.trim(test.log, ids[1]!);
      await before.close();
      const restore = await test.backup(test.log);
      const doomed = await test.open();
      const lost = await appendOne(doomed, test.log);
      await doomed.close();
      await restore();

      const eventLog = await test.open();
      const page = await eventLog.read(test.log, { after: lost });
      deepStrictEqual(page.standing, { state: 'reset', version: ids[3] });
      deepStrictEqual(idsOf(page), ids.slice(2));
      deepStrictEqual((await eventLog.read(test.log, { after: ids[0] })).standing, {
        state: 'trimmed',
        resumeAfter: ids[1],
      });
    });

    suite.with(['backup'], 'that lost a trim has the events back', async (test) => {
      const before = await test.open();
      const ids = await appendMany(before, test.log, 4);
      await before.close();
      const restore = await test.backup(test.log);
      const doomed = await test.open();
      await doomed.trim(test.log, ids[3]!);
      await doomed.close();
      await restore();

      const eventLog = await test.open();
      const page = await eventLog.read(test.log, { after: ids[1] });
      deepStrictEqual(page.standing, WHOLE);
      deepStrictEqual(idsOf(page), ids.slice(2));
    });

    suite.with(['backup'], 'that lost a whole log resets its readers', async (test) => {
      const restore = await test.backup(test.log);
      const doomed = await test.open();
      const lost = await appendOne(doomed, test.log);
      await doomed.close();
      await restore();

      const eventLog = await test.open();
      const page = await eventLog.read(test.log, { after: lost });
      deepStrictEqual(page.standing, { state: 'reset', version: ZERO_ID });
      deepStrictEqual(page.events, []);
    });
  });
}
