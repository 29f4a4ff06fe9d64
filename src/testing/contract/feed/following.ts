import { ok, rejects, strictEqual } from 'node:assert/strict';
import { eventually } from '../eventually.ts';
import type { LogSuite } from '../log/log-under-test.ts';
import { appendOne } from '../log/say.ts';
import { FeedFollower } from './feed-follower.ts';

/** Wake-ups of the feed, and what others write. */
export function feedFollowingTests(suite: LogSuite): void {
  suite.topic('who follows the feed', () => {
    suite.it('is woken, and finds what was appended', async (test) => {
      const eventLog = await test.open();
      const reader = new FeedFollower(eventLog, [test.log], await eventLog.feedEnd());
      let wakes = 0;
      await eventLog.followFeed(() => {
        wakes += 1;
      });
      for (let round = 0; round < 3; round += 1) {
        const before = wakes;
        const id = await appendOne(eventLog, test.log);
        await eventually(() => wakes > before);
        await eventually(async () => (await reader.toTheEnd()).idsOf(test.log).at(-1) === id);
      }
    });

    suite.it('is woken no more once it has left, and others still are', async (test) => {
      const eventLog = await test.open();
      const wakes = [0, 0];
      const [leave] = await Promise.all(
        [0, 1].map((which) =>
          eventLog.followFeed(() => {
            wakes[which]! += 1;
          }),
        ),
      );
      await appendOne(eventLog, test.log);
      await eventually(() => wakes[0]! > 0 && wakes[1]! > 0);
      leave!();
      leave!();
      const [left, stays] = wakes;
      await appendOne(eventLog, test.log);
      await eventually(() => wakes[1]! > stays!);
      strictEqual(wakes[0], left);
    });

    suite.it('can come and go again and again', async (test) => {
      const eventLog = await test.open();
      for (let round = 0; round < 5; round += 1) {
        let wakes = 0;
        const leave = await eventLog.followFeed(() => {
          wakes += 1;
        });
        await appendOne(eventLog, test.log);
        await eventually(() => wakes > 0);
        leave();
      }
    });

    suite.it('is refused by a closed log', async (test) => {
      const eventLog = await test.open();
      await eventLog.close();
      await rejects(
        eventLog.followFeed(() => {}),
        { code: 'closed' },
      );
      await rejects(eventLog.feed(), { code: 'closed' });
      await rejects(eventLog.feedEnd(), { code: 'closed' });
    });

    suite.with(['shared'], 'hears of what another process appends', async (test) => {
      const [one, other] = await Promise.all([test.open(), test.open()]);
      const reader = new FeedFollower(one, [test.log], await one.feedEnd());
      let wakes = 0;
      await one.followFeed(() => {
        wakes += 1;
      });
      const before = wakes;
      const id = await appendOne(other, test.log);
      await eventually(() => wakes > before);
      strictEqual((await reader.toTheEnd()).idsOf(test.log).at(-1), id);
    });

    suite.with(['lossy'], 'is woken after the connection was lost', async (test) => {
      const eventLog = await test.lossy.open();
      const direct = await test.open();
      const reader = new FeedFollower(direct, [test.log], await direct.feedEnd());
      let wakes = 0;
      await eventLog.followFeed(() => {
        wakes += 1;
      });
      test.lossy.cut();
      const id = await appendOne(direct, test.log);
      const before = wakes;
      test.lossy.heal();
      await eventually(() => wakes > before);
      strictEqual((await reader.toTheEnd()).idsOf(test.log).at(-1), id);
      const again = wakes;
      await appendOne(direct, test.log);
      await eventually(() => wakes > again);
    });

    suite.with(['lossy'], 'need not wait for a store that is away', async (test) => {
      const eventLog = await test.lossy.open();
      test.lossy.cut();
      const controller = new AbortController();
      const following = eventLog.followFeed(() => {}, controller.signal);
      controller.abort(new Error('no longer'));
      await rejects(following, /no longer/);
      test.lossy.heal();
      const leave = await eventually(() => eventLog.followFeed(() => {}));
      leave();
    });
  });

  suite.topic('what others added', () => {
    suite.with(['foreign'], 'comes into the feed with the next append', async (test) => {
      const eventLog = await test.open();
      const { log, foreign } = test;
      const reader = new FeedFollower(eventLog, [log], await eventLog.feedEnd(), { limit: 2 });
      const ids = [
        await foreign.add(log, ['type', 'T', 'payload', '1']),
        await foreign.add(log, ['type', 'T', 'payload', '2']),
        await appendOne(eventLog, log),
        await foreign.add(log, ['type', 'T', 'payload', '3']),
        await appendOne(eventLog, log),
      ];
      (await reader.toTheEnd()).assertRead(new Map([[log, ids]]));
      ok(reader.items.every(({ whole }) => whole));
    });

    suite.with(['foreign'], 'to a log that is followed comes in by itself', async (test) => {
      const eventLog = await test.open({ feedScan: 0 });
      const { log, foreign } = test;
      const reader = new FeedFollower(eventLog, [log], await eventLog.feedEnd());
      const live = { events: () => {}, wake: () => {}, position: () => '0-0' as never };
      await eventLog.follow(log, live);
      const id = await foreign.add(log, ['type', 'T', 'payload', '1']);
      await eventually(async () => (await reader.toTheEnd()).idsOf(log).length === 1);
      reader.assertRead(new Map([[log, [id]]]));
    });

    suite.with(['foreign'], 'to a log that nobody knows comes in by itself', async (test) => {
      const { log, foreign } = test;
      const ids = [
        await foreign.add(log, ['type', 'T', 'payload', '1']),
        await foreign.add(log, ['temperature', '21']),
      ];
      const eventLog = await test.open();
      const reader = new FeedFollower(eventLog, [log], await eventLog.feedEnd(), { limit: 1 });
      let wakes = 0;
      await eventLog.followFeed(() => {
        wakes += 1;
      });
      await eventually(async () => (await reader.toTheEnd()).idsOf(log).length === 2);
      const before = wakes;
      ids.push(await foreign.add(log, ['type', 'T', 'payload', '3']));
      await eventually(() => wakes > before);
      await eventually(async () => (await reader.toTheEnd()).idsOf(log).length === 3);
      reader.assertRead(new Map([[log, ids]]));
      ok(reader.items.every(({ whole }) => whole));
    });

    suite.with(['foreign'], 'and removed is told of as missing', async (test) => {
      const eventLog = await test.open();
      const { log, foreign } = test;
      const start = await eventLog.feedEnd();
      const { ids } = await eventLog.append(log, [
        { type: 'a', payload: 1 },
        { type: 'b', payload: 2 },
        { type: 'c', payload: 3 },
      ]);
      const after = await appendOne(eventLog, log);
      await foreign.remove(log, ids[1]!);
      const [stretch, next] = (await eventLog.feed({ after: start })).items;
      strictEqual(stretch!.whole, false);
      strictEqual(stretch!.events.length, 2);
      strictEqual(next!.whole, true);
      strictEqual(next!.events[0]!.id, after);
    });
  });
}
