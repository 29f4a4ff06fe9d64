/** How much is kept of producers in Redis: see append.lua. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { event } from '../../src/testing/contract/log/say.ts';
import { keysOf } from '../contract/log/redis-under-test.ts';
import { randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';

const DAY = 24 * 60 * 60 * 1000;

let server: RedisServer;
let commands: Redis;
let eventLog: RedisLog;

beforeAll(async () => {
  server = await RedisServer.start();
  commands = new Redis(server.url());
  eventLog = await RedisLog.open(server.url());
});

afterAll(async () => {
  await eventLog.close();
  commands.disconnect();
  await server[Symbol.asyncDispose]();
});

/** Producers that have appended once, so many days ago. */
async function rememberOthers(key: string, count: number, days: number): Promise<void> {
  const lastUse = Date.now() - days * DAY;
  const fields = Array.from({ length: count }, (_, number) => [
    ...[`${days} days ${number}`, `0 0 ${lastUse} 1526919030474-0:1`],
  ]);
  await commands.hset(key, ...fields.flat());
}

it('frees those that were forgotten while another goes on', async () => {
  const log = randomLog();
  const { producers } = keysOf(log);
  const produce = (seq: number) =>
    eventLog.append(log, [event()], { producer: { id: 'goes-on', epoch: 0, seq } });
  await produce(0);
  await rememberOthers(producers, 1_000, 8);
  await rememberOthers(producers, 50, 6);
  let seq = 1;
  // Those that are remembered thin out the samples: some of the forgotten may stay a while.
  while ((await commands.hlen(producers)) > 60) {
    expect(seq).toBeLessThan(2_000);
    await Promise.all(Array.from({ length: 20 }, () => produce(seq++)));
  }
  const left = await commands.hkeys(producers);
  expect(left.filter((id) => id.startsWith('6 days'))).toHaveLength(50);
  expect(left).toContain('goes-on');
});

it('frees them also when the one that goes on does so only now and then', async () => {
  const log = randomLog();
  const { producers } = keysOf(log);
  await eventLog.append(log, [event()], { producer: { id: 'rare', epoch: 0, seq: 0 } });
  await commands.hset(producers, 'rare', `0 0 ${Date.now() - DAY} 1526919030474-0:1`);
  await rememberOthers(producers, 100, 8);
  await eventLog.append(log, [event()], { producer: { id: 'rare', epoch: 0, seq: 1 } });
  expect(await commands.hkeys(producers)).toEqual(['rare']);
});
