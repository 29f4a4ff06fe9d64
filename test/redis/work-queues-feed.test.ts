/** What a group in Redis does when the feed, or all of Redis, is not what it was. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LogName } from '../../src/event/log-name.ts';
import { openStore, type Store } from '../../src/stores/open.ts';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { work } from '../../src/worker/work.ts';
import { eventually } from '../support/eventually.ts';
import { randomId, randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';

let server: RedisServer;
let redis: Redis;
let store: Store;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url());
  store = await openStore(server.url());
});

afterAll(async () => {
  await store.close();
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});

const grow = (log: LogName, type = 'Grown') => store.log.append(log, [{ type, payload: '' }]);

async function recording(from?: 'now') {
  const category = randomId();
  const handled: string[] = [];
  const worker = await work(store, {
    ...{ group: category, category, from, lookInterval: 20 },
    handler: ({ log, type }) => void handled.push(`${log} ${type}`),
  });
  return { category, handled, worker };
}

test.each(['XTRIM', 'DEL'])('goes on when others have emptied the feed with %s', async (how) => {
  const { category, handled, worker } = await recording();
  const logs = [randomLog(category), randomLog(category), randomLog(category)];
  for (const log of logs) await grow(log);
  await worker.drain();
  if (how === 'DEL') await redis.del('feed');
  else await redis.xtrim('feed', 'MAXLEN', 0);
  for (const log of logs) await grow(log, 'Later');
  await worker.drain();
  expect(handled.sort()).toEqual(logs.flatMap((log) => [`${log} Grown`, `${log} Later`]).sort());
  await worker.stop();
});

test.each(['start', 'now'] as const)(
  'does not miss what was appended and trimmed from the feed while it was away (from %s)',
  async (from) => {
    const { category, handled, worker } = await recording(from === 'now' ? from : undefined);
    const [log, fresh] = [randomLog(category), randomLog(category)];
    await grow(log);
    await worker.drain();
    await worker.stop();
    await grow(log, 'Meanwhile');
    await grow(fresh);
    await redis.xtrim('feed', 'MAXLEN', 0);
    const again = await work(store, {
      ...{ group: category, category },
      handler: ({ log, type }) => void handled.push(`${log} ${type}`),
    });
    await again.drain();
    expect(handled.sort()).toEqual([`${log} Grown`, `${log} Meanwhile`, `${fresh} Grown`].sort());
    await again.stop();
  },
);

test('a log that lost its tail is gone on with, and nothing is done twice', async () => {
  const { category, handled, worker } = await recording();
  const log = randomLog(category);
  const { ids } = await store.log.append(
    log,
    ['One', 'Two'].map((type) => ({ type, payload: '' })),
  );
  await worker.drain();
  // As a failover to a replica that had less.
  const [[, fields]] = (await redis.xrange(`${log}:log`, ids[0]!, ids[0]!)) as [[string, string[]]];
  await redis.del(`${log}:log`);
  await redis.xadd(`${log}:log`, ids[0]!, ...fields);
  await grow(log, 'Three');
  await eventually(() => expect(handled.at(-1)).toBe(`${log} Three`));
  expect(handled).toHaveLength(3);
  await worker.stop();
});

test('a group whose keys are gone begins anew', async () => {
  const { category, handled, worker } = await recording();
  const log = randomLog(category);
  await grow(log);
  await worker.drain();
  await redis.del(...(await redis.keys(`{work:${category}}:*`)));
  await eventually(() => expect(handled).toEqual([`${log} Grown`, `${log} Grown`]));
  await worker.stop();
});

test('a group that began with what came then does nothing older when the feed is built anew', async () => {
  const category = randomId();
  const [old, fresh] = [randomLog(category), randomLog(category)];
  await grow(old);
  const handled: string[] = [];
  const options = { group: category, category, lookInterval: 20 };
  const handler = ({ log, type }: { log: LogName; type: string }) => {
    handled.push(`${log} ${type}`);
  };
  const worker = await work(store, { ...options, from: 'now', handler });
  await worker.stop();
  await grow(fresh);
  await redis.del('feed', '{feed}:indexed');
  const scanning = await RedisLog.open(server.url(), { feedScan: 20 });
  try {
    await scanning.followFeed(() => {});
    const again = await work(store, { ...options, handler });
    // The group has looked at the new feed when it has this, which is only there.
    await redis.xadd(`${old}:log`, '*', 'type', 'New', 'payload', '');
    await eventually(() => expect(handled).toHaveLength(2));
    await again.drain();
    expect(handled.sort()).toEqual([`${fresh} Grown`, `${old} New`].sort());
    await again.stop();
  } finally {
    await scanning.close();
  }
});

test('so it does when its state is lost, and it is made again as it was', async () => {
  const { category, handled, worker } = await recording('now');
  const [old, fresh] = [randomLog(category), randomLog(category)];
  await grow(old);
  await worker.drain();
  await worker.stop();
  await grow(fresh);
  await redis.del(`{work:${category}}:state`);
  await expect(
    work(store, { group: category, category: 'other', handler: () => {} }),
  ).rejects.toMatchObject({ field: 'category' });
  const again = await work(store, {
    ...{ group: category, category, from: 'start' },
    handler: ({ log, type }) => void handled.push(`${log} ${type}`),
  });
  await again.drain();
  expect(handled).toEqual([`${old} Grown`, `${fresh} Grown`]);
  await again.stop();
});

test('a log whose key holds something else is passed over, once', async () => {
  const category = randomId();
  const [notices, handled]: [string[], string[]] = [[], []];
  const log = randomLog(category);
  await grow(log);
  await redis.del(`${log}:log`);
  await redis.set(`${log}:log`, 'x');
  const worker = await work(store, {
    ...{ group: category, category, lookInterval: 10 },
    handler: ({ type }) => void handled.push(type),
    onNotice: (notice) => void notices.push(notice.what),
  });
  await worker.drain();
  await worker.drain();
  expect([notices, handled]).toEqual([['skipped'], []]);
  await worker.stop();
});

test('who leaves is forgotten', async () => {
  const { category, worker } = await recording();
  await worker.stop();
  expect(await redis.xinfo('CONSUMERS', `{work:${category}}:logs`, 'workers')).toEqual([]);
});
