/** The index over all logs that the Redis store writes: every event is in one entry's range. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { indexLogs } from '../../src/stores/redis/feed/index-logs.ts';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { appendOne, event } from '../../src/testing/contract/log/say.ts';
import { keysOf } from '../contract/log/redis-under-test.ts';
import { randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';

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

async function feedOf(log: string): Promise<{ first: string; last: string }[]> {
  const entries = await commands.xrange('feed', '-', '+');
  return entries
    .map(([, fields]) => Object.fromEntries(chunksOfTwo(fields)))
    .flatMap((fields) => fields[log] ?? [])
    .map((range) => range.split(' ') as [string, string])
    .map(([first, last]) => ({ first, last }));
}

function chunksOfTwo(fields: readonly string[]): [string, string][] {
  return fields.flatMap((name, index) =>
    index % 2 === 0 ? [[name, fields[index + 1]!] as [string, string]] : [],
  );
}

it('tells of each append', async () => {
  const log = randomLog();
  const producer = { id: 'p', epoch: 0, seq: 0 };
  const one = await eventLog.append(log, [event()], { producer });
  const three = await eventLog.append(log, [event(), event(), event()]);
  await eventLog.append(log, [event()], { producer });
  await expect(eventLog.append(log, [event()], { expected: one.version })).rejects.toThrow();
  expect(await feedOf(log)).toEqual([
    { first: one.ids[0], last: one.ids[0] },
    { first: three.ids[0], last: three.ids[2] },
  ]);
  expect(await commands.hget('{feed}:indexed', log)).toBe(three.version);
});

it('has one entry for all appends of a turn, with one range for each log', async () => {
  const [one, other] = [randomLog(), randomLog()];
  const before = await commands.xlen('feed');
  const [first, between, last] = await Promise.all([
    appendOne(eventLog, one),
    appendOne(eventLog, other),
    appendOne(eventLog, one),
  ]);
  expect(await commands.xlen('feed')).toBe(before + 1);
  expect(await feedOf(one)).toEqual([{ first, last }]);
  expect(await feedOf(other)).toEqual([{ first: between, last: between }]);
});

it('takes in what others added before', async () => {
  const log = randomLog();
  const { stream } = keysOf(log);
  const theirs = await commands.xadd(stream, '*', 'type', 'T', 'payload', '1');
  await commands.xadd(stream, '*', 'type', 'T', 'payload', '2');
  const ours = await appendOne(eventLog, log);
  const theirsAgain = await commands.xadd(stream, '*', 'type', 'T', 'payload', '3');
  const oursAgain = await appendOne(eventLog, log);
  const alone = await appendOne(eventLog, log);
  expect(await feedOf(log)).toEqual([
    { first: theirs, last: ours },
    { first: theirsAgain, last: oursAgain },
    { first: alone, last: alone },
  ]);
});

it('is not broken by what others added and removed before', async () => {
  const log = randomLog();
  const { stream } = keysOf(log);
  await appendOne(eventLog, log);
  await commands.xadd(stream, '*', 'type', 'T', 'payload', '1');
  await commands.xtrim(stream, 'MAXLEN', 0);
  const ours = await appendOne(eventLog, log);
  expect((await feedOf(log)).at(-1)).toEqual({ first: ours, last: ours });

  await commands.del(stream);
  const reborn = await appendOne(eventLog, log);
  expect((await feedOf(log)).at(-1)).toEqual({ first: reborn, last: reborn });
});

it('is not broken by a mark ahead of a log that was restored', async () => {
  const log = randomLog();
  await appendOne(eventLog, log, 'before');
  await commands.hset('{feed}:indexed', log, '33000000000000-0');
  const ids = [await appendOne(eventLog, log, 'after'), await appendOne(eventLog, log, 'later')];
  expect((await eventLog.read(log)).events.map(({ payload }) => payload)).toEqual([
    'before',
    'after',
    'later',
  ]);
  expect((await feedOf(log)).at(-1)).toEqual({ first: ids[1], last: ids[1] });
});

it('does not lose an append of another log to a feed of the wrong type', async () => {
  const log = randomLog();
  await commands.rename('feed', 'feed-put-aside');
  await commands.set('feed', 'not a stream');
  await expect(appendOne(eventLog, log)).rejects.toMatchObject({ code: 'wrong_type' });
  await commands.rename('feed-put-aside', 'feed');
  expect((await eventLog.read(log)).events).toEqual([]);
  await appendOne(eventLog, log);
});

it('and the marks of the wrong type refuse the append before anything is written', async () => {
  const log = randomLog();
  await commands.rename('{feed}:indexed', 'marks-put-aside');
  await commands.set('{feed}:indexed', 'not a hash');
  await expect(appendOne(eventLog, log)).rejects.toMatchObject({ code: 'wrong_type' });
  await commands.rename('marks-put-aside', '{feed}:indexed');
  expect(await commands.exists(keysOf(log).stream)).toBe(0);
});

it('needs the producers of a log to be what they should be', async () => {
  const log = randomLog();
  const keys = keysOf(log);
  await commands.set(keys.producers, 'not a hash');
  const producer = { id: 'p', epoch: 0, seq: 0 };
  await expect(eventLog.append(log, [event()], { producer })).rejects.toMatchObject({
    code: 'wrong_type',
  });
  expect(await commands.exists(keys.stream)).toBe(0);
});

it('tells of what others added, also beside marks of an early version, which do not name the last entry', async () => {
  const log = randomLog();
  const { stream } = keysOf(log);
  await appendOne(eventLog, log);
  await commands.hset(
    '{feed}:indexed',
    '',
    'For each log, the last event ID that the feed tells of.',
  );
  const id = await commands.xadd(stream, '*', 'type', 'Foreign', 'payload', '');
  await indexLogs(commands, [stream]);
  expect((await feedOf(log)).at(-1)).toEqual({ first: id, last: id });
});
