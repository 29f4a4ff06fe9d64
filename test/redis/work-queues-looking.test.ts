/** Reading the feed and queueing are two steps: what may happen between them, and what they cost. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EventId } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import { FIRST_MARKS, RedisFeedIndex } from '../../src/stores/redis/feed/redis-feed-index.ts';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { groupKeys } from '../../src/stores/redis/work-queues/keys.ts';
import { type GroupFeed, RedisGroup } from '../../src/stores/redis/work-queues/redis-group.ts';
import { RedisWorkQueues } from '../../src/stores/redis/work-queues/redis-work-queues.ts';
import { ScriptCaller } from '../../src/stores/redis/work-queues/script-caller.ts';
import { LOOK_SCRIPT } from '../../src/stores/redis/work-queues/scripts.ts';
import { lookAll } from '../../src/testing/contract/work-queues/work-queues-under-test.ts';
import { parseJoinOptions } from '../../src/work-queues/rules.ts';
import type { WorkConsumer } from '../../src/work-queues/work-queues.ts';
import { randomId, randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';

let server: RedisServer;
let redis: Redis;
let log: RedisLog;
let queues: RedisWorkQueues;
let index: RedisFeedIndex;
let calls: ScriptCaller;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url());
  log = await RedisLog.open(server.url(), { feedScan: 0, sweepInterval: 0 });
  queues = await RedisWorkQueues.open(server.url());
  calls = new ScriptCaller(redis);
  index = new RedisFeedIndex((...call) => calls.call(...call));
});

afterAll(async () => {
  await Promise.all([log.close(), queues.close()]);
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});

let category: string;
let other: WorkConsumer;

beforeEach(async () => {
  category = randomId();
  other = await queues.join(category, { category });
  await lookAll(other);
});

async function grow(name: LogName): Promise<EventId> {
  return (await log.append(name, [{ type: 'Grown', payload: '' }])).version;
}

const key = (what: string) => `{work:${category}}:${what}`;
const queued = () => redis.xlen(key('logs'));

/**
 * Another process' view of the group, which does something after it has read and before it queues.
 * @param read what it has read then
 */
function slow(
  between: () => Promise<unknown>,
  read: 'news' | 'first marks' | 'later marks' = 'news',
) {
  let isDone = false;
  const once = async () => {
    if (isDone) return;
    isDone = true;
    await between();
  };
  const feed: GroupFeed = {
    end: () => index.end(),
    async read(...range) {
      const page = await index.read(...range);
      if (read === 'news' && page.stretches.length > 0) await once();
      return page;
    },
    async marks(...range) {
      const page = await index.marks(...range);
      if (read === (range[0] === FIRST_MARKS ? 'first marks' : 'later marks')) await once();
      return page;
    },
  };
  const group = new RedisGroup(category, calls, feed);
  return { look: () => group.look(parseJoinOptions({ category })) };
}

describe('between reading and queueing', () => {
  test('another has queued it: once is enough', async () => {
    const group = slow(() => lookAll(other));
    await grow(randomLog(category));
    expect(await group.look()).toBe(true);
    expect(await queued()).toBe(1);
    while (await group.look());
    expect(await queued()).toBe(1);
  });

  test('another has done it all: it is not done again', async () => {
    const name = randomLog(category);
    const group = slow(async () => {
      await lookAll(other);
      const [leased] = await other.take(1, 0);
      await other.settle([{ leased: leased!, cursor: last, next: 'done' }]);
    });
    const last = await grow(name);
    while (await group.look());
    expect(await queued()).toBe(0);
    expect(await other.lag()).toBe(0);
  });

  test('what was told is lost: that is seen, and what was told is told again', async () => {
    const name = randomLog(category);
    const first = await grow(name);
    await lookAll(other);
    const [leased] = await other.take(1, 0);
    await grow(name);
    await lookAll(other);
    const group = slow(() => redis.del(key('told')));
    await grow(randomLog(category));
    while (await group.look());
    // That there is more than this is known only from what was told.
    await other.settle([{ leased: leased!, cursor: first, next: 'done' }]);
    expect((await other.take(10, 0)).map(({ log }) => log)).toContain(name);
  });

  test('what was told is lost while the marks are gone over: they are gone over from the first', async () => {
    const names = Array.from({ length: 1_000 }, () => randomLog(category));
    await Promise.all(names.map((name) => grow(name)));
    const told = async () => (await redis.hkeys(key('told'))).filter(Boolean).length;
    await lookAll(other);
    expect(await told()).toBe(1_000);
    await redis.del(key('told'));
    const { logs, queued, told: toldKey, cursors, delayed, state } = groupKeys(category);
    const group = slow(async () => {
      await redis.del(toldKey);
      await calls.call(LOOK_SCRIPT, [logs, queued, toldKey, cursors, delayed, state], [1]);
    }, 'later marks');
    while (await group.look());
    expect(await told()).toBe(1_000);
  });

  test('another has gone over these marks, and begun anew: they are read again', async () => {
    const [first, second] = [randomLog(category), randomLog(category)];
    await grow(first);
    await lookAll(other);
    // Nothing but going over the marks tells of the first log now.
    await redis.del(key('told'), key('queued'), key('logs'));
    const group = slow(async () => {
      await lookAll(other);
      await grow(second);
      await lookAll(other);
    }, 'first marks');
    while (await group.look());
    while (await group.look());
    expect(await queued()).toBe(2);
  });

  test('the feed grows with every look: its marks are gone over all the same', async () => {
    const name = randomLog(category);
    await grow(name);
    await lookAll(other);
    // Nothing but going over the marks tells of that log now.
    await redis.del(key('told'), key('queued'), key('logs'));
    const busy = randomLog();
    const feed: GroupFeed = {
      end: () => index.end(),
      marks: (...range) => index.marks(...range),
      async read(...range) {
        await grow(busy);
        return index.read(...range);
      },
    };
    const group = new RedisGroup(category, calls, feed);
    for (let looks = 0; looks < 20; looks += 1) await group.look(parseJoinOptions({ category }));
    expect((await other.take(10, 0)).map(({ log }) => log)).toEqual([name]);
  });

  test('the feed is built anew: the group stands at its end when all is queued', async () => {
    const [first, second] = [randomLog(category), randomLog(category)];
    const group = slow(async () => {
      await redis.del('feed', '{feed}:indexed');
      await grow(second);
    });
    await grow(first);
    while (await group.look());
    await grow(first);
    while (await group.look());
    const leased = await other.take(10, 0);
    expect(leased.map(({ log }) => log).sort()).toEqual([first, second].sort());
    expect(await redis.hget(key('state'), 'at')).toBe(await index.end());
  });
});

test('two of one process that look at once see what was there before either asked', async () => {
  const mine = await queues.join(category, { category });
  for (let round = 0; round < 5; round += 1) {
    const looking = mine.look();
    await grow(randomLog(category));
    await Promise.all([looking, other.look(), mine.look()]);
    await lookAll(other);
    expect(await queued()).toBe(round + 1);
  }
  await mine.leave();
});

test('many that look at once queue each log once, and miss none', async () => {
  const groups = Array.from({ length: 8 }, () => new RedisGroup(category, calls, index));
  const names = Array.from({ length: 300 }, () => randomLog(category));
  await Promise.all(names.map((name) => grow(name)));
  await Promise.all(
    groups.map(async (group) => {
      while (await group.look(parseJoinOptions({ category })));
    }),
  );
  expect(await queued()).toBe(300);
  expect(await other.lag()).toBe(300);
});

test('a group of a version that noted its place in another way goes over the marks, and does nothing twice', async () => {
  const [done, fresh] = [randomLog(category), randomLog(category)];
  const last = await grow(done);
  await lookAll(other);
  const [leased] = await other.take(1, 0);
  await other.settle([{ leased: leased!, cursor: last, next: 'done' }]);
  await grow(fresh);
  await redis.hset(key('state'), { at: '0-1', mark: `${done} ${last} ${last}` });
  await redis.hset(key('told'), '', '0-1');
  await lookAll(other);
  expect((await other.take(10, 0)).map(({ log }) => log)).toEqual([fresh]);
});

describe('what a look costs', () => {
  async function callsOf(what: () => Promise<unknown>): Promise<number> {
    await redis.config('RESETSTAT');
    await what();
    const stats = await redis.info('commandstats');
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  }

  test('two calls when there is nothing, and now and then one that mends', async () => {
    expect(await other.look()).toBe(false);
    const made = await callsOf(async () => {
      for (let count = 0; count < 10; count += 1) expect(await other.look()).toBe(false);
    });
    expect(made).toBeGreaterThanOrEqual(20);
    expect(made).toBeLessThanOrEqual(22);
  });

  test('three when there is something', async () => {
    await other.look();
    await grow(randomLog(category));
    const made = await callsOf(() => other.look());
    expect(made).toBeGreaterThanOrEqual(3);
    expect(made).toBeLessThanOrEqual(4);
  });
});
