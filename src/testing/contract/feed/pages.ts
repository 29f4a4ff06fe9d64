import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict';
import type { EventId } from '../../../event/event-id.ts';
import { type LogName, parseLogName } from '../../../event/log-name.ts';
import { FEED_START } from '../../../feed/feed.ts';
import { eventually } from '../eventually.ts';
import type { LogSuite } from '../log/log-under-test.ts';
import { appendMany, appendOne, event } from '../log/say.ts';
import { FeedFollower } from './feed-follower.ts';

/** Reading the index over all logs. */
export function feedTests(suite: LogSuite): void {
  suite.topic('the feed', () => {
    suite.it('has the events of all logs in the order of their appends', async (test) => {
      const eventLog = await test.open();
      const logs = [test.newLog(), test.newLog(), test.newLog()];
      const start = await eventLog.feedEnd();
      const expected: [LogName, string][] = [];
      for (let number = 0; number < 12; number += 1) {
        const log = logs[(number * 2) % 3]!;
        await appendOne(eventLog, log, String(number));
        expected.push([log, String(number)]);
      }
      const page = await eventLog.feed({ after: start });
      deepStrictEqual(
        page.items.flatMap(({ log, events }) => events.map(({ payload }) => [log, payload])),
        expected,
      );
      ok(page.items.every(({ whole }) => whole));
      strictEqual(page.more, false);
      strictEqual(page.standing, 'whole');
      strictEqual(page.cursor, await eventLog.feedEnd());
      const next = await eventLog.feed({ after: page.cursor });
      deepStrictEqual(next.items, []);
      deepStrictEqual({ ...next }, { ...page });
    });

    suite.it('can be read from its start', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 3);
      const reader = new FeedFollower(eventLog, [test.log], FEED_START);
      (await reader.toTheEnd()).assertRead(new Map([[test.log, ids]]));
    });

    suite.it('counts its entries, so that a lag is a number', async (test) => {
      const eventLog = await test.open();
      const start = await eventLog.feedEnd();
      const { end } = await eventLog.feed({ after: start });
      for (let count = 1; count <= 5; count += 1) await appendOne(eventLog, test.log);
      const page = await eventLog.feed({ after: start, limit: 2 });
      deepStrictEqual([page.position - end, page.end - end, page.more], [2, 5, true]);
      const rest = await eventLog.feed({ after: page.cursor });
      deepStrictEqual([rest.position, rest.end, rest.more], [end + 5, end + 5, false]);
    });

    suite.it('has pages that end within an append', async (test) => {
      const eventLog = await test.open();
      const start = await eventLog.feedEnd();
      const other = test.newLog();
      const before = await appendOne(eventLog, other);
      const ids = await appendMany(eventLog, test.log, 25);
      const after = await appendOne(eventLog, other);
      for (const limit of [1, 2, 3, 7, 25, 26, 27, 28]) {
        const reader = new FeedFollower(eventLog, [test.log, other], start, { limit });
        await reader.toTheEnd();
        reader.assertRead(
          new Map([
            [test.log, ids],
            [other, [before, after]],
          ]),
        );
        ok(reader.items.every(({ whole }) => whole));
      }
    });

    suite.it('has pages within its bounds in bytes, with one event at least', async (test) => {
      const eventLog = await test.open();
      const start = await eventLog.feedEnd();
      const other = test.newLog();
      const ids: EventId[] = [];
      for (let count = 0; count < 6; count += 1) {
        ids.push(await appendOne(eventLog, test.log, 'x'.repeat(4000)));
      }
      const appended = await eventLog.append(
        other,
        [1, 2, 3, 4].map(() => event('y'.repeat(4000))),
      );
      for (const [maxBytes, most] of [
        [1, 1],
        [4500, 1],
        [9000, 2],
        [13_000, 3],
      ] as const) {
        const reader = new FeedFollower(eventLog, [test.log, other], start, { maxBytes });
        for (let more = true; more; ) {
          const page = await reader.page();
          const count = page.items.reduce((sum, { events }) => sum + events.length, 0);
          ok(count >= 1 && count <= most, `${count} events in ${maxBytes} bytes`);
          ({ more } = page);
        }
        reader.assertRead(
          new Map([
            [test.log, ids],
            [other, appended.ids],
          ]),
        );
      }
    });

    suite.it('is read as far as asked for, however much that is', async (test) => {
      const eventLog = await test.open();
      const start = await eventLog.feedEnd();
      const logs = Array.from({ length: 20 }, () => test.newLog());
      const expected = new Map<LogName, EventId[]>(logs.map((log) => [log, []]));
      for (let round = 0; round < 5; round += 1) {
        await Promise.all(
          logs.map(async (log, index) => {
            expected.get(log)!.push(...(await appendMany(eventLog, log, 1 + ((index * 7) % 40))));
          }),
        );
      }
      const page = await eventLog.feed({ after: start, limit: 100_000, maxBytes: 100_000_000 });
      strictEqual(page.more, false);
      const reader = new FeedFollower(eventLog, logs, start, { limit: 100_000 });
      (await reader.toTheEnd()).assertRead(expected);
      for (const limit of [13, 500, 1777]) {
        const slow = new FeedFollower(eventLog, logs, start, { limit });
        (await slow.toTheEnd()).assertRead(expected);
      }
    });

    suite.it('never shows a later event of a log first, whoever writes at once', async (test) => {
      const eventLog = await test.open();
      const start = await eventLog.feedEnd();
      const logs = Array.from({ length: 15 }, () => test.newLog());
      const written = new Map<LogName, EventId[]>(logs.map((log) => [log, []]));
      let writing = true;
      const writers = Array.from({ length: 50 }, async (_, writer) => {
        for (let turn = 0; turn < 12; turn += 1) {
          const log = logs[(writer * 5 + turn * 3) % logs.length]!;
          const events = Array.from({ length: 1 + ((writer + turn) % 3) }, () => event());
          const { ids } = await eventLog.append(log, events);
          written.get(log)!.push(...ids);
        }
      });
      const reader = new FeedFollower(eventLog, logs, start, { limit: 37 });
      const reading = (async () => {
        while (writing) await reader.page();
      })();
      await Promise.all(writers);
      writing = false;
      await reading;
      await reader.toTheEnd();
      const expected = new Map<LogName, EventId[]>();
      for (const log of logs) {
        const { events } = await eventLog.read(log, { limit: 10_000 });
        expected.set(
          log,
          events.map(({ id }) => id),
        );
        strictEqual(events.length, written.get(log)!.length);
      }
      reader.assertRead(expected);
      ok(reader.items.every(({ whole }) => whole));
    });

    suite.it('tells only of one category where that is asked for', async (test) => {
      const eventLog = await test.open();
      const start = await eventLog.feedEnd();
      const wanted = parseLogName(test.newLog().replace('contract:', 'wanted:'));
      const similar = parseLogName(test.newLog().replace('contract:', 'wanted-too:'));
      const ids: EventId[] = [];
      for (let round = 0; round < 4; round += 1) {
        await appendMany(eventLog, test.log, 3);
        const [id] = await Promise.all([
          appendOne(eventLog, wanted),
          appendOne(eventLog, similar),
          appendOne(eventLog, test.log),
        ]);
        ids.push(id);
      }
      for (const limit of [1, 2, 100]) {
        const all = [wanted, similar, test.log];
        const reader = new FeedFollower(eventLog, all, start, { limit, category: 'wanted' });
        await reader.toTheEnd();
        deepStrictEqual(new Set(reader.items.map(({ log }) => log)), new Set([wanted]));
        reader.assertRead(new Map([[wanted, ids]]));
        strictEqual(reader.cursor, await eventLog.feedEnd());
      }
      const none = await eventLog.feed({ after: start, category: 'nobody' });
      deepStrictEqual(none.items, []);
      strictEqual(none.more, false);
    });

    suite.it('has cursors that hold when the store is opened again', async (test) => {
      const first = await test.open();
      const start = await first.feedEnd();
      const ids = await appendMany(first, test.log, 5);
      const within = await first.feed({ after: start, limit: 2 });
      await first.close();
      const second = await test.open();
      ids.push(await appendOne(second, test.log));
      const rest = await second.feed({ after: within.cursor });
      strictEqual(rest.standing, 'whole');
      deepStrictEqual(
        rest.items.flatMap(({ events }) => events.map(({ id }) => id)),
        ids.slice(2),
      );
    });

    suite.it('tells when events were trimmed away before they were read', async (test) => {
      const eventLog = await test.open();
      const start = await eventLog.feedEnd();
      const other = test.newLog();
      const ids = await appendMany(eventLog, test.log, 4);
      const kept = await appendOne(eventLog, other);
      const gone = await appendOne(eventLog, test.log);
      const last = await appendOne(eventLog, test.log);
      await eventLog.trim(test.log, ids[1]!);
      const page = await eventLog.feed({ after: start });
      const seen = page.items.map(({ log, events, whole }) => [
        log,
        events.map(({ id }) => id),
        whole,
      ]);
      deepStrictEqual(seen[0], [test.log, ids.slice(2), false]);
      ok(page.items.slice(1).every(({ whole }) => whole));

      const within = await eventLog.feed({ after: start, limit: 1 });
      await eventLog.trim(test.log, gone);
      const rest = await eventLog.feed({ after: within.cursor });
      strictEqual(rest.standing, 'whole');
      deepStrictEqual(
        rest.items.map(({ log, events, whole }) => [log, events.map(({ id }) => id), whole]),
        [
          [test.log, [], false],
          [other, [kept], true],
          [test.log, [], false],
          [test.log, [last], true],
        ],
      );
    });

    const wrong = [
      ['after', { after: 'nonsense' }],
      ['after', { after: '-1' }],
      ['after', { after: '3/nolog/1-1' }],
      ['after', { after: '3/account:1/1-1/x/0-0' }],
      ['after', { after: 7 as unknown as string }],
      ['limit', { limit: 0 }],
      ['limit', { limit: 100_001 }],
      ['maxBytes', { maxBytes: 0 }],
      ['category', { category: 'a:b' }],
    ] as const;
    for (const [field, options] of wrong) {
      suite.it(`refuses ${JSON.stringify(options)}`, async (test) => {
        const eventLog = await test.open();
        await rejects(eventLog.feed(options), { field });
      });
    }

    suite.with(['backup'], 'tells who has read what the store has lost', async (test) => {
      const first = await test.open();
      const before = await appendMany(first, test.log, 2);
      const beforeLoss = await first.feedEnd();
      await first.close();
      const restore = await test.backup(test.log);

      const second = await test.open();
      await appendMany(second, test.log, 3);
      const within = await second.feed({ after: beforeLoss, limit: 1 });
      const lost = await appendOne(second, test.log);
      const end = await second.feedEnd();
      await second.close();
      await restore();

      const third = await test.open();
      for (const after of [within.cursor, end]) {
        const reader = new FeedFollower(third, [test.log], after);
        strictEqual((await reader.page()).standing, 'reset');
        (await reader.toTheEnd()).assertRead(new Map([[test.log, before]]));
      }
      strictEqual((await third.feed({ after: beforeLoss })).standing, 'whole');
      // Other events take the same positions. (That a clock goes back, too, is the known limit.)
      await eventually(() => Date.now() > Number(lost.split('-')[0]) + 1);
      for (let count = 0; count < 4; count += 1) await appendMany(third, test.log, 3);
      for (const after of [within.cursor, end]) {
        const reader = new FeedFollower(third, [test.log], after);
        strictEqual((await reader.page()).standing, 'reset');
        await reader.toTheEnd();
        const { events } = await third.read(test.log);
        reader.assertRead(new Map([[test.log, events.map(({ id }) => id)]]));
      }
      strictEqual((await third.feed({ after: beforeLoss })).standing, 'whole');
    });
  });
}
