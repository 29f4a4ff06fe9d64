import { deepStrictEqual, rejects, strictEqual } from 'node:assert/strict';
import {
  type EventId,
  eventIdParts,
  MAX_ID,
  makeEventId,
  predecessorOf,
  ZERO_ID,
} from '../../../event/event-id.ts';
import type { LogSuite } from './log-under-test.ts';
import {
  appendOne,
  assertHolds,
  assertIncreasing,
  event,
  FUTURE,
  idsOf,
  onlyId,
  versionOf,
} from './say.ts';

const MAX_HALF = 18_446_744_073_709_551_615n;

export function idTests(suite: LogSuite): void {
  suite.topic('event IDs', () => {
    suite.it('rise, however fast the appends come', async (test) => {
      const eventLog = await test.open();
      const ids: EventId[] = [];
      for (let index = 0; index < 100; index += 1) ids.push(await appendOne(eventLog, test.log));
      assertIncreasing(ids);
    });

    suite.it('carry the time of the append', async (test) => {
      const eventLog = await test.open();
      const earliest = Date.now();
      const { milliseconds } = eventIdParts(await appendOne(eventLog, test.log));
      const latest = Date.now();
      // Stores keep their own time; on one machine it is the same.
      strictEqual(Number(milliseconds) >= earliest - 5 && Number(milliseconds) <= latest + 5, true);
    });

    suite.with(['clock'], 'are made from the clock', async (test) => {
      let now = 1_526_919_030_474;
      const eventLog = await test.open({ clock: () => now });
      const several = [event(), event(), event()];
      deepStrictEqual((await eventLog.append(test.log, several)).ids, [
        '1526919030474-0',
        '1526919030474-1',
        '1526919030474-2',
      ]);
      strictEqual(await appendOne(eventLog, test.log), '1526919030474-3');
      now += 1;
      strictEqual(await appendOne(eventLog, test.log), '1526919030475-0');
    });

    suite.with(['clock'], 'go on where they were when the clock goes back', async (test) => {
      let now = 1_526_919_030_474;
      const eventLog = await test.open({ clock: () => now });
      await appendOne(eventLog, test.log);
      now -= 60_000;
      strictEqual(await appendOne(eventLog, test.log), '1526919030474-1');
      strictEqual(await appendOne(eventLog, test.log), '1526919030474-2');
      now = 0;
      strictEqual(await appendOne(eventLog, test.log), '1526919030474-3');
      now = 1_526_919_030_475;
      strictEqual(await appendOne(eventLog, test.log), '1526919030475-0');
    });

    suite.with(['clock'], 'are above 0-0 even when the clock stands at 1970', async (test) => {
      const eventLog = await test.open({ clock: () => 0 });
      strictEqual(await appendOne(eventLog, test.log), '0-1');
    });

    suite.with(['startAt'], 'go on after one that is ahead of the clock', async (test) => {
      const ahead = makeEventId(FUTURE, 7);
      await test.startAt(test.log, ahead);
      const eventLog = await test.open();
      strictEqual(await versionOf(eventLog, test.log), ahead);
      const { ids } = await eventLog.append(test.log, [event(), event()]);
      deepStrictEqual(ids, [makeEventId(FUTURE, 8), makeEventId(FUTURE, 9)]);
    });

    suite.with(
      ['startAt'],
      'go on with the next millisecond after the last sequence',
      async (test) => {
        await test.startAt(test.log, makeEventId(FUTURE, MAX_HALF - 1n));
        const eventLog = await test.open();
        const producer = { id: 'p', epoch: 0, seq: 0 };
        const events = [event('a'), event('b'), event('c')];
        const { ids } = await eventLog.append(test.log, events, { producer });
        deepStrictEqual(ids, [
          makeEventId(FUTURE, MAX_HALF),
          makeEventId(FUTURE + 1n, 0),
          makeEventId(FUTURE + 1n, 1),
        ]);
        deepStrictEqual((await eventLog.append(test.log, events, { producer })).ids, ids);
      },
    );

    suite.with(['startAt'], 'are exact beyond what a number holds', async (test) => {
      // 2^53 + 1 in both halves: a store that goes through a double loses the last bit.
      const start = makeEventId(9_007_199_254_740_993n, 9_007_199_254_740_993n);
      await test.startAt(test.log, start);
      const eventLog = await test.open();
      const next = await appendOne(eventLog, test.log, 'next');
      const last = await appendOne(eventLog, test.log, 'last');
      strictEqual(next, makeEventId(9_007_199_254_740_993n, 9_007_199_254_740_994n));
      strictEqual(last, makeEventId(9_007_199_254_740_993n, 9_007_199_254_740_995n));

      deepStrictEqual(idsOf(await eventLog.read(test.log)), [start, next, last]);
      deepStrictEqual(idsOf(await eventLog.read(test.log, { after: next })), [last]);
      deepStrictEqual(idsOf(await eventLog.read(test.log, { before: next })), [start]);
      await eventLog.append(test.log, [event('expected')], { expected: last });
      await rejects(eventLog.append(test.log, [event()], { expected: last }), {
        code: 'version_conflict',
      });
      await eventLog.trim(test.log, next);
      await assertHolds(eventLog, test.log, ['last', 'expected']);
    });

    suite.with(['startAt'], 'end: a log that gave out its last one is full', async (test) => {
      await test.startAt(test.log, MAX_ID);
      const eventLog = await test.open();
      const producer = { id: 'p', epoch: 0, seq: 0 };
      await rejects(eventLog.append(test.log, [event()]), { code: 'log_full' });
      await rejects(eventLog.append(test.log, [event()], { producer }), { code: 'log_full' });
      await rejects(eventLog.append(test.log, [event()], { expected: ZERO_ID }), {
        code: 'version_conflict',
        actual: MAX_ID,
      });
      strictEqual(await versionOf(eventLog, test.log), MAX_ID);

      const page = await eventLog.read(test.log);
      deepStrictEqual(idsOf(page), [MAX_ID]);
      strictEqual(page.more, false);
      deepStrictEqual(idsOf(await eventLog.read(test.log, { after: MAX_ID })), []);
      deepStrictEqual(idsOf(await eventLog.read(test.log, { reverse: true })), [MAX_ID]);
    });

    suite.with(['startAt'], 'end: what does not fit whole is refused whole', async (test) => {
      const last = predecessorOf(MAX_ID);
      await test.startAt(test.log, last);
      const eventLog = await test.open();
      await rejects(eventLog.append(test.log, [event('a'), event('b')]), { code: 'log_full' });
      strictEqual(await versionOf(eventLog, test.log), last);
      strictEqual((await eventLog.read(test.log)).events.length, 1);
    });

    suite.with(['startAt'], 'end: a full log can still be trimmed to nothing', async (test) => {
      await test.startAt(test.log, MAX_ID);
      const eventLog = await test.open();
      await eventLog.trim(test.log, MAX_ID);
      const page = await eventLog.read(test.log, { after: MAX_ID });
      deepStrictEqual(page, {
        events: [],
        more: false,
        version: MAX_ID,
        standing: { state: 'whole' },
      });
    });

    suite.with(['startAt'], 'of a full log do not stop a batch', async (test) => {
      await test.startAt(test.log, MAX_ID);
      const eventLog = await test.open();
      const logs = [test.newLog(), test.log, test.newLog()];
      const outcomes = await Promise.allSettled(
        logs.map((log) => eventLog.append(log, [event('in the batch')])),
      );
      deepStrictEqual(
        outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'ok' : outcome.reason.code)),
        ['ok', 'log_full', 'ok'],
      );
      onlyId(await eventLog.append(logs[0]!, [event('still working')]));
      await assertHolds(eventLog, logs[0]!, ['in the batch', 'still working']);
      await assertHolds(eventLog, logs[2]!, ['in the batch']);
    });
  });
}
