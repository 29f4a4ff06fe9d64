import { deepStrictEqual, rejects, strictEqual } from 'node:assert/strict';
import {
  type EventId,
  eventIdParts,
  isAfter,
  MAX_ID,
  predecessorOf,
  successorOf,
  ZERO_ID,
} from '../../../event/event-id.ts';
import { eventually } from '../eventually.ts';
import type { LogSuite } from './log-under-test.ts';
import { appendMany, appendOne, event, idsOf, versionOf } from './say.ts';

const WHOLE = { state: 'whole' };

export function trimmingTests(suite: LogSuite): void {
  suite.topic('trimming', () => {
    suite.it('forgets the events up to an ID and keeps the version', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 10);
      await eventLog.trim(test.log, ids[3]!);
      const page = await eventLog.read(test.log);
      deepStrictEqual(idsOf(page), ids.slice(4));
      strictEqual(page.version, ids[9]);
      deepStrictEqual(page.standing, { state: 'trimmed', resumeAfter: ids[3] });
    });

    suite.it('forgets exactly up to it in a long log too', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 1200);
      for (const kept of [1100, 777, 1]) {
        await eventLog.trim(test.log, ids[1200 - kept - 1]!);
        const page = await eventLog.read(test.log, { limit: 2000 });
        deepStrictEqual(idsOf(page), ids.slice(-kept));
      }
    });

    suite.it('keeps the version of a log that was trimmed to nothing', async (test) => {
      const first = await test.open();
      const ids = await appendMany(first, test.log, 5);
      await first.trim(test.log, ids[4]!);
      strictEqual(await versionOf(first, test.log), ids[4]);
      await first.close();

      const second = await test.open();
      const page = await second.read(test.log, { after: ids[4] });
      deepStrictEqual(page, { events: [], more: false, version: ids[4], standing: WHOLE });
      const next = await appendOne(second, test.log);
      strictEqual(isAfter(next, ids[4]!), true);
      deepStrictEqual(idsOf(await second.read(test.log, { after: ids[4] })), [next]);
    });

    suite.it('tells who was at the mark or beyond nothing', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 6);
      await eventLog.trim(test.log, ids[2]!);
      for (const [after, events] of [
        [ids[2], ids.slice(3)],
        [ids[3], ids.slice(4)],
        [ids[5], []],
      ] as [EventId, EventId[]][]) {
        const page = await eventLog.read(test.log, { after });
        deepStrictEqual(page.standing, WHOLE);
        deepStrictEqual(idsOf(page), events);
      }
    });

    suite.it(
      'tells who was below the mark, and goes on with the first kept event',
      async (test) => {
        const eventLog = await test.open();
        const ids = await appendMany(eventLog, test.log, 6);
        await eventLog.trim(test.log, ids[2]!);
        for (const after of [ZERO_ID, predecessorOf(ids[0]!), ids[0]!, ids[1]!]) {
          const page = await eventLog.read(test.log, { after });
          deepStrictEqual(page.standing, { state: 'trimmed', resumeAfter: ids[2] });
          deepStrictEqual(idsOf(page), ids.slice(3));
        }
      },
    );

    suite.it('tells it also when newer events have come, and over a reopening', async (test) => {
      const first = await test.open();
      const ids = await appendMany(first, test.log, 4);
      await first.trim(test.log, ids[3]!);
      await first.close();
      const second = await test.open();
      const newer = await appendMany(second, test.log, 2);
      const page = await second.read(test.log, { after: ids[1] });
      deepStrictEqual(page.standing, { state: 'trimmed', resumeAfter: ids[3] });
      deepStrictEqual(idsOf(page), newer);
      deepStrictEqual((await second.read(test.log, { after: ids[3] })).standing, WHOLE);
    });

    suite.it('tells it when nothing is left to go on with', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 4);
      await eventLog.trim(test.log, ids[3]!);
      for (const after of [ZERO_ID, ids[0]]) {
        const page = await eventLog.read(test.log, { after });
        deepStrictEqual(page.standing, { state: 'trimmed', resumeAfter: ids[3] });
        deepStrictEqual(page.events, []);
      }
    });

    suite.it('takes an ID that no event has', async (test) => {
      const eventLog = await test.open();
      const [first] = await appendMany(eventLog, test.log, 1);
      await eventually(() => Date.now() > Number(eventIdParts(first!).milliseconds) + 3);
      const second = await appendOne(eventLog, test.log);
      const between = predecessorOf(second);
      strictEqual(isAfter(between, successorOf(first!)!), true);

      await eventLog.trim(test.log, between);
      const page = await eventLog.read(test.log, { after: first });
      deepStrictEqual(page.standing, { state: 'trimmed', resumeAfter: between });
      deepStrictEqual(idsOf(page), [second]);
      const resumed = await eventLog.read(test.log, { after: between });
      deepStrictEqual(resumed.standing, WHOLE);
      deepStrictEqual(idsOf(resumed), [second]);
    });

    suite.it('only moves forwards', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 6);
      await eventLog.trim(test.log, ids[3]!);
      for (const through of [ids[3]!, ids[1]!, ZERO_ID]) {
        await eventLog.trim(test.log, through);
        const page = await eventLog.read(test.log, { after: ids[0] });
        deepStrictEqual(page.standing, { state: 'trimmed', resumeAfter: ids[3] });
        deepStrictEqual(idsOf(page), ids.slice(4));
      }
    });

    suite.it('goes no further than the version', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 3);
      await eventLog.trim(test.log, MAX_ID);
      const trimmed = await eventLog.read(test.log, { after: ids[0] });
      deepStrictEqual(trimmed, {
        events: [],
        more: false,
        version: ids[2],
        standing: { state: 'trimmed', resumeAfter: ids[2] },
      });
      // What comes now was not forgotten in advance.
      const next = await appendOne(eventLog, test.log);
      const page = await eventLog.read(test.log, { after: ids[2] });
      deepStrictEqual(page.standing, WHOLE);
      deepStrictEqual(idsOf(page), [next]);
    });

    suite.it('does nothing to a log that never had an event', async (test) => {
      const eventLog = await test.open();
      await eventLog.trim(test.log, successorOf(ZERO_ID)!);
      await eventLog.trim(test.log, ZERO_ID);
      const page = await eventLog.read(test.log);
      deepStrictEqual(page, { events: [], more: false, version: ZERO_ID, standing: WHOLE });
      const { ids } = await eventLog.append(test.log, [event()], { expected: ZERO_ID });
      deepStrictEqual(idsOf(await eventLog.read(test.log)), ids);
      deepStrictEqual((await eventLog.read(test.log)).standing, WHOLE);
    });

    suite.it('forgets nothing that is appended meanwhile', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 50);
      const [appended] = await Promise.all([
        Promise.all(Array.from({ length: 50 }, () => appendOne(eventLog, test.log))),
        eventLog.trim(test.log, ids[24]!),
        eventLog.trim(test.log, ids[49]!),
      ]);
      const page = await eventLog.read(test.log, { after: ids[49] });
      deepStrictEqual(page.standing, WHOLE);
      deepStrictEqual(idsOf(page), appended);
    });

    suite.it('refuses what is no event ID', async (test) => {
      const eventLog = await test.open();
      const through = 'all' as EventId;
      await rejects(eventLog.trim(test.log, through), {
        code: 'invalid_event_id',
        field: 'through',
      });
    });
  });
}
