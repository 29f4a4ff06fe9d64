/**
 * Work queues on a server that routes by slot, as one of a cluster does, by users who may touch the
 * keys of one slot alone: the feed's or the group's. Opening a store on a cluster is refused still;
 * this holds the scripts to it.
 */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FEED_START } from '../../src/feed/feed.ts';
import { RedisFeedIndex } from '../../src/stores/redis/feed/redis-feed-index.ts';
import { RedisConsumer } from '../../src/stores/redis/work-queues/redis-consumer.ts';
import { RedisGroup } from '../../src/stores/redis/work-queues/redis-group.ts';
import { ScriptCaller } from '../../src/stores/redis/work-queues/script-caller.ts';
import { REDRIVE_SCRIPT } from '../../src/stores/redis/work-queues/scripts.ts';
import { lookAll, takeAll } from '../../src/testing/contract/work-queues/work-queues-under-test.ts';
import { parseJoinOptions } from '../../src/work-queues/rules.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { RedisServer } from '../support/redis-server.ts';

const GROUP = 'mail';

let server: RedisServer;
const opened: Redis[] = [];

function connect(user?: string): Redis {
  const redis = new Redis(server.port, '127.0.0.1', { username: user, password: user });
  opened.push(redis);
  return redis;
}

beforeAll(async () => {
  const bus = await freePort();
  server = await RedisServer.start({ 'cluster-enabled': 'yes', 'cluster-port': String(bus) });
  const admin = connect();
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await eventually(async () => String(await admin.call('CLUSTER', 'INFO')).includes('state:ok'));
  await admin.call(
    'ACL',
    'SETUSER',
    'feed',
    'on',
    '>feed',
    '+@all',
    '-@write',
    '~feed',
    '~{feed}:indexed',
  );
  await admin.call('ACL', 'SETUSER', 'group', 'on', '>group', '+@all', `~{work:${GROUP}}:*`);
});

afterAll(async () => {
  for (const redis of opened) redis.disconnect();
  await server[Symbol.asyncDispose]();
});

test('what reads the feed touches no key of a group, and what a group does touches only its own', async () => {
  const admin = connect();
  const grow = async (position: number, log: string, id: string) => {
    await admin.xadd('feed', `0-${position}`, log, `${id} ${id}`);
    await admin.hset('{feed}:indexed', log, id, '', `0-${position}`);
  };
  const feedCalls = new ScriptCaller(connect('feed'));
  const index = new RedisFeedIndex((...call) => feedCalls.call(...call));
  const groupRedis = connect('group');
  const calls = new ScriptCaller(groupRedis);
  const group = new RedisGroup(GROUP, calls, index);
  const room = { connect: async () => connect('group'), longestBlock: 1_000 };
  const request = parseJoinOptions();

  await grow(1, 'a:1', '5-0');
  const consumer = await RedisConsumer.join(room, group, request, groupRedis, calls);
  // The first by the marks, the second by an entry of the feed.
  const [first] = await takeAll(consumer, 1);
  await grow(2, 'a:2', '6-0');
  const [second] = await takeAll(consumer, 1);
  expect([first!.log, second!.log]).toEqual(['a:1', 'a:2']);
  const settled = await consumer.settle([
    { leased: first!, cursor: first!.told, next: 'done' },
    { leased: second!, attempt: { event: second!.told, count: 1 }, next: { after: 1 } },
  ]);
  expect(settled).toEqual([true, true]);
  const [again] = await takeAll(consumer, 1);
  await consumer.settle([{ leased: again!, attempt: again!.attempt, next: 'hold' }]);
  const { logs, queued, told, cursors, attempts, redrives } = group.keys;
  const keys = [logs, queued, told, cursors, attempts, redrives];
  await calls.call(REDRIVE_SCRIPT, keys, ['redrive', 'a:2', again!.told, '7-0']);
  expect(await consumer.take(1, 1_000)).toHaveLength(1);
  // And when the place is not in the feed any more.
  await admin.del('feed', '{feed}:indexed');
  await grow(1, 'a:3', '8-0');
  await lookAll(consumer);
  expect((await consumer.take(1, 1_000)).map(({ log }) => log)).toEqual(['a:3']);
  expect(await consumer.lag()).toBe(2);
  await consumer.leave();
  await expect(calls.call(REDRIVE_SCRIPT, ['feed', ...keys.slice(1)], [])).rejects.toThrow();
  expect(await index.read(FEED_START, 10, '')).toMatchObject({ behind: 1, standing: 'whole' });
});
