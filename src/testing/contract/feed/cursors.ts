import { deepStrictEqual, ok, rejects, strictEqual, throws } from 'node:assert/strict';
import { FEED_START, type Feed } from '../../../feed/feed.ts';
import { feedOf } from '../../../feed/feed-of.ts';
import type { EventLog } from '../../../log/log.ts';
import type { LogSuite } from '../log/log-under-test.ts';
import { appendMany, appendOne } from '../log/say.ts';

/** The store's own, and the one that is had by way of its log. */
function feedsOf(log: EventLog & { asFeed?(): Feed }): Feed[] {
  return [feedOf({ log }), log.asFeed?.()].filter((feed) => feed !== undefined);
}

/** What is asked about cursors, by those who do not look into them. */
export function feedCursorTests(suite: LogSuite): void {
  suite.topic('a cursor of the feed', () => {
    suite.it('lags by as many entries as were appended since', async (test) => {
      const eventLog = await test.open();
      for (const feed of feedsOf(eventLog)) {
        const start = await feed.end();
        strictEqual(feed.lag(start, await feed.end()), 0);
        for (let count = 1; count <= 3; count += 1) await appendOne(eventLog, test.log);
        const middle = await feed.end();
        for (let count = 1; count <= 4; count += 1) await appendOne(eventLog, test.newLog());
        const end = await feed.end();
        deepStrictEqual(
          [feed.lag(start, middle), feed.lag(middle, end), feed.lag(start, end)],
          [3, 4, 7],
        );
        strictEqual(feed.lag(end, start), 0);
        strictEqual(feed.lag(FEED_START, end), feed.lag(FEED_START, start) + 7);
        const page = await feed.page({ after: start, limit: 2 });
        strictEqual(feed.lag(page.cursor, page.last), 5);
        strictEqual(page.last, end);
        deepStrictEqual(
          [page.position, page.end],
          [feed.lag(FEED_START, page.cursor), feed.lag(FEED_START, page.last)],
        );
      }
    });

    suite.it('has reached all that lies before it, within an append too', async (test) => {
      const eventLog = await test.open();
      for (const feed of feedsOf(eventLog)) {
        const start = await feed.end();
        await appendOne(eventLog, test.newLog());
        await appendMany(eventLog, test.log, 4);
        await appendOne(eventLog, test.newLog());
        const cursors = [start];
        for (let more = true; more; ) {
          const page = await feed.page({ after: cursors.at(-1)!, limit: 1 });
          cursors.push(page.cursor);
          ({ more } = page);
        }
        strictEqual(cursors.length, 7);
        for (const [at, cursor] of cursors.entries()) {
          for (const [to, end] of cursors.entries()) {
            strictEqual(feed.reached(cursor, end), at >= to, `${cursor} reached ${end}`);
          }
        }
        // An entry that was begun is still to be read to its end.
        deepStrictEqual(
          cursors.map((cursor) => feed.lag(cursor, cursors.at(-1)!)),
          [3, 2, 2, 2, 2, 1, 0],
        );
      }
    });

    suite.it('is told its standing, and where the feed ends, as a page is', async (test) => {
      const eventLog = await test.open();
      for (const feed of feedsOf(eventLog)) {
        const start = await feed.end();
        await appendMany(eventLog, test.log, 3);
        const within = await feed.page({ after: start, limit: 1 });
        const end = await feed.end();
        for (const cursor of [FEED_START, start, within.cursor, within.last, end]) {
          const page = await feed.page({ after: cursor });
          deepStrictEqual(
            [await feed.standing(cursor), await feed.end()],
            [page.standing, page.last],
          );
        }
        ok(feed.reached(end, within.last) && feed.reached(within.last, end));
      }
    });

    suite.it('is refused when no page gave it out', async (test) => {
      const eventLog = await test.open();
      for (const feed of feedsOf(eventLog)) {
        await rejects(feed.standing('nonsense'), { code: 'invalid_feed_cursor' });
        throws(() => feed.lag('nonsense', FEED_START), { field: 'cursor' });
        throws(() => feed.lag(FEED_START, 'nonsense'), { field: 'end' });
        throws(() => feed.reached('nonsense', FEED_START), { field: 'cursor' });
      }
    });

    suite.it('is told by nobody once the log is closed', async (test) => {
      const eventLog = await test.open();
      const feeds = feedsOf(eventLog);
      await eventLog.close();
      for (const feed of feeds) {
        await rejects(feed.page(), { code: 'closed' });
        await rejects(feed.end(), { code: 'closed' });
        await rejects(feed.standing(FEED_START), { code: 'closed' });
        await rejects(
          feed.follow(() => {}),
          { code: 'closed' },
        );
      }
    });

    suite.with(['backup'], 'is told that the store has lost what it is after', async (test) => {
      const first = await test.open();
      await appendMany(first, test.log, 2);
      await first.close();
      const restore = await test.backup(test.log);
      const second = await test.open();
      await appendMany(second, test.log, 3);
      const { cursor: within } = await second.feed({ limit: 3 });
      const end = await second.feedEnd();
      await second.close();
      await restore();
      const third = await test.open();
      for (const feed of feedsOf(third)) {
        strictEqual(await feed.standing(end), 'reset');
        strictEqual(await feed.standing(within), (await feed.page({ after: within })).standing);
        strictEqual(await feed.standing(await feed.end()), 'whole');
      }
    });
  });
}
