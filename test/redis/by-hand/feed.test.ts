/** The feed of a store with some logs, one reader in its middle; then somebody does something by hand. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventId } from '../../../src/event/event-id.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import { FEED_START } from '../../../src/feed/feed.ts';
import { RedisLog } from '../../../src/stores/redis/log/redis-log.ts';
import { FeedFollower } from '../../../src/testing/contract/feed/feed-follower.ts';
import { appendOne } from '../../../src/testing/contract/log/say.ts';
import { eventually } from '../../support/eventually.ts';
import { randomLog } from '../../support/names.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { copyOf, doByHand, keep } from './deeds.ts';
import { FEED_ROWS } from './rows.ts';

// One feed a server: each row has all of it to itself.
let database = 0;

class Scene implements AsyncDisposable {
  readonly logs = Array.from({ length: 4 }, () => randomLog());
  readonly appended = new Map<LogName, EventId[]>(this.logs.map((log) => [log, []]));
  readonly eventLog: RedisLog;
  readonly redis: Redis;

  constructor(eventLog: RedisLog, redis: Redis) {
    this.eventLog = eventLog;
    this.redis = redis;
  }

  async append(): Promise<void> {
    for (const log of this.logs) {
      this.appended.get(log)!.push(await appendOne(this.eventLog, log));
    }
  }

  reader(cursor = FEED_START): FeedFollower {
    return new FeedFollower(this.eventLog, this.logs, cursor);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.eventLog.close();
    this.redis.disconnect();
  }
}

describe('the feed, when somebody does by hand', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await RedisServer.start({ databases: '100' });
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  async function open(feedScan: number): Promise<Scene> {
    database += 1;
    const url = server.url(database);
    return new Scene(await RedisLog.open(url, { feedScan }), new Redis(url));
  }

  test.each(FEED_ROWS)('$key: $deed', async ({ key, deed, then }) => {
    // What heals is found by an append, or by the scan of whoever follows.
    const scans = deed === 'XSETID' ? [30] : then === 'heals' ? [0, 30] : [0];
    for (const feedScan of scans) {
      await using scene = await open(feedScan);
      const { eventLog, redis } = scene;
      await scene.append();
      const dump = await redis.dumpBuffer(key);
      await scene.append();
      const { cursor } = await scene.reader().toTheEnd();
      const { cursor: middle } = await eventLog.feed({ limit: 3 });
      await scene.append();
      await keep(redis, key);
      await doByHand(redis, deed, key, dump);

      if (then === 'heals') {
        if (feedScan > 0) await eventLog.followFeed(() => {});
        if (feedScan === 0) await scene.append();
        // A new reader gets every event once; an old one does not get any twice without being told.
        await eventually(async () => {
          (await scene.reader().toTheEnd()).assertRead(scene.appended);
          for (const after of [cursor, middle]) {
            const old = await scene.reader(after).toTheEnd();
            expect(old.standings).toEqual(['reset']);
            old.assertRead(scene.appended);
          }
        });
      } else if (deed === 'XDEL' || deed === 'XTRIM') {
        expect(await eventLog.feed({ after: middle })).toMatchObject({ standing: 'trimmed' });
        await scene.append();
        const old = await scene.reader(middle).toTheEnd();
        expect(old.standings).toEqual(['trimmed']);
        for (const log of scene.logs) {
          expect(old.idsOf(log)).toEqual(scene.appended.get(log)!.slice(-1));
        }
      } else {
        await expect(scene.append()).rejects.toMatchObject({
          code: 'wrong_type',
          message: expect.stringContaining(key),
        });
        await redis.rename(copyOf(key), key);
        await scene.append();
        const old = await scene.reader(cursor).toTheEnd();
        expect(old.standings).toEqual([]);
        (await scene.reader().toTheEnd()).assertRead(scene.appended);
      }
    }
  });

  test('a stream of somebody else under the key of the feed is not removed', async () => {
    await using scene = await open(30);
    const { eventLog, redis } = scene;
    await scene.append();
    await redis.xadd('of somebody else', '1526919030474-0', 'name', 'value');
    await redis.rename('of somebody else', 'feed');
    await eventLog.followFeed(() => {});
    await scene.append();
    const added = await redis.xadd(`${scene.logs[0]}:log`, '*', 'type', 'T', 'payload', '');
    scene.appended.get(scene.logs[0]!)!.push(added as EventId);
    await expect(eventLog.feed()).rejects.toMatchObject({
      code: 'wrong_type',
      message: expect.stringContaining('remove feed and {feed}:indexed'),
    });
    expect(await redis.xlen('feed')).toBe(1);
    await redis.del('feed', '{feed}:indexed');
    await eventually(async () => {
      (await scene.reader().toTheEnd()).assertRead(scene.appended);
    });
  });
});
