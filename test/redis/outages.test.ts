/** What the Redis store does while Redis is away, and when it comes back changed. */
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import type { EventId } from '../../src/event/event-id.ts';
import { RedisLog, type RedisLogOptions } from '../../src/stores/redis/log/redis-log.ts';
import { FollowingReader } from '../../src/testing/contract/log/following-reader.ts';
import { RecordingFollower } from '../../src/testing/contract/log/recording-follower.ts';
import { appendMany, appendOne, event, readAll } from '../../src/testing/contract/log/say.ts';
import { eventually } from '../support/eventually.ts';
import { randomLog } from '../support/names.ts';
import { type RedisConfig, RedisServer } from '../support/redis-server.ts';

const DURABLE = { appendonly: 'yes', appendfsync: 'always' };

async function startServer(config?: RedisConfig): Promise<RedisServer> {
  const server = await RedisServer.start(config);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

async function openLog(server: RedisServer, options?: RedisLogOptions): Promise<RedisLog> {
  const eventLog = await RedisLog.open(server.url(), options);
  onTestFinished(() => eventLog.close());
  return eventLog;
}

it('has appends wait for Redis, and then happen once and in order', async () => {
  const server = await startServer(DURABLE);
  const eventLog = await openLog(server, { appendWait: 20_000 });
  const log = randomLog();
  await appendOne(eventLog, log, 'before');
  await server.kill();
  await eventually(async () => {
    // The loss has been noticed once a read is refused.
    await expect(eventLog.read(log)).rejects.toMatchObject({ code: 'unavailable' });
  });
  const waiting = Array.from({ length: 100 }, (_, index) => appendOne(eventLog, log, `${index}`));
  await server.start();
  const ids = await Promise.all(waiting);
  const { events } = await readAll(eventLog, log);
  expect(events.slice(1).map(({ id }) => id)).toEqual(ids);
  expect(events.map(({ payload }) => payload)).toEqual([
    'before',
    ...Array.from({ length: 100 }, (_, index) => `${index}`),
  ]);
});

it('refuses appends as unavailable when the wait is over, and they did not happen', async () => {
  const server = await startServer(DURABLE);
  const eventLog = await openLog(server, { appendWait: 100 });
  const log = randomLog();
  await appendOne(eventLog, log, 'before');
  await server.kill();
  await eventually(async () => {
    await expect(eventLog.read(log)).rejects.toMatchObject({ code: 'unavailable' });
  });
  const producer = { id: 'p', epoch: 0, seq: 0 };
  const append = () => eventLog.append(log, [event('late')], { producer });
  await expect(append()).rejects.toMatchObject({ code: 'unavailable' });
  await expect(eventLog.trim(log, '5-5' as EventId)).rejects.toMatchObject({ code: 'unavailable' });
  await server.start();
  // Once the wait is over the append is gone for good: it does not come in later.
  await eventually(() => appendOne(eventLog, log, 'after'));
  expect((await readAll(eventLog, log)).events.map(({ payload }) => payload)).toEqual([
    'before',
    'after',
  ]);
  expect((await append()).duplicate).toBe(false);
});

it('gives up on a Redis that hangs, with the outcome unknown', async () => {
  const server = await startServer();
  const eventLog = await openLog(server, { replyTimeout: 200, appendWait: 20_000 });
  const log = randomLog();
  const producer = { id: 'p', epoch: 0, seq: 0 };
  await eventLog.append(log, [event('before')], { producer });
  server.freeze();
  const next = { producer: { ...producer, seq: 1 } };
  await expect(eventLog.append(log, [event('unknown')], next)).rejects.toMatchObject({
    code: 'outcome_unknown',
  });
  server.thaw();
  const repeat = await eventually(() => eventLog.append(log, [event('unknown')], next));
  const { events } = await readAll(eventLog, log);
  expect(events.map(({ payload }) => payload)).toEqual(['before', 'unknown']);
  expect(repeat.ids).toEqual([events[1]?.id]);
});

it('wakes followers when Redis is back, and they have missed nothing', async () => {
  const server = await startServer(DURABLE);
  const [here, there] = [
    await openLog(server, { sweepInterval: 0 }),
    await openLog(server, { sweepInterval: 0 }),
  ];
  const log = randomLog();
  const reader = new FollowingReader(here, log);
  const recording = new RecordingFollower();
  await here.follow(log, reader);
  await here.follow(log, recording);
  const ids: EventId[] = [];
  for (let round = 1; round <= 3; round += 1) {
    ids.push(...(await eventually(() => appendMany(there, log, 3))));
    await eventually(() => reader.received.length >= ids.length);
    const { wakes } = recording;
    await server.kill();
    await server.start();
    await eventually(() => recording.wakes > wakes);
    await eventually(() => here.read(log));
  }
  expect(reader.standings).toEqual([]);
  expect(reader.received.map(({ id }) => id)).toEqual(ids);
});

it('resets readers whose events a restored Redis does not have', async () => {
  const server = await startServer(DURABLE);
  const eventLog = await openLog(server, { sweepInterval: 0 });
  const log = randomLog();
  const reader = new FollowingReader(eventLog, log);
  await eventLog.follow(log, reader);
  const kept = await appendMany(eventLog, log, 3);
  await eventually(() => reader.received.length === 3);
  await server.stop();
  const backup = server.backup();
  await server.start();
  const lost = await eventually(() => appendMany(eventLog, log, 2));
  await eventually(() => reader.position() === lost[1]);

  await server.stop();
  server.restore(backup);
  await server.start();
  await eventually(() => reader.standings.length > 0);
  expect(reader.standings).toEqual([{ state: 'reset', version: kept[2] }]);

  // Also after newer appends: the ID alone does not give the loss away.
  const newer = await eventually(() => appendOne(eventLog, log));
  for (const after of lost) {
    const page = await eventLog.read(log, { after });
    expect(page.standing).toEqual({ state: 'reset', version: newer });
    expect(page.events.map(({ id }) => id)).toEqual([...kept, newer]);
  }
  expect((await eventLog.read(log, { after: kept[2]! })).standing).toEqual({ state: 'whole' });
});

it('goes on after Redis has forgotten its scripts', async () => {
  const server = await startServer();
  const eventLog = await openLog(server, { sweepInterval: 0 });
  const commands = new Redis(server.url());
  onTestFinished(() => commands.disconnect());
  const log = randomLog();
  const payloads: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    await commands.script('FLUSH');
    const batch = Array.from({ length: 200 }, (_, index) => `${round}/${index}`);
    payloads.push(...batch);
    const appends = Promise.all(batch.map((payload) => appendOne(eventLog, log, payload)));
    if (round % 2 === 1) await commands.script('FLUSH');
    await appends;
  }
  const { events } = await readAll(eventLog, log);
  expect(events.map(({ payload }) => payload)).toEqual(payloads);
  await commands.script('FLUSH');
  await eventLog.trim(log, events[0]!.id);
  expect((await eventLog.read(log, { limit: 1 })).events[0]?.id).toBe(events[1]?.id);
});

it('says unavailable when Redis refuses to write, and nothing happened', async () => {
  const server = await startServer();
  const eventLog = await openLog(server);
  const commands = new Redis(server.url());
  onTestFinished(() => commands.disconnect());
  const log = randomLog();
  const producer = { id: 'p', epoch: 0, seq: 0 };
  const append = () => eventLog.append(log, [event('x'), event('y')], { producer });

  await commands.config('SET', 'maxmemory', '1');
  await expect(append()).rejects.toMatchObject({ code: 'unavailable' });
  await commands.config('SET', 'maxmemory', '0');
  await commands.config('SET', 'min-replicas-to-write', '1');
  await expect(append()).rejects.toMatchObject({ code: 'unavailable' });
  await commands.config('SET', 'min-replicas-to-write', '0');

  expect((await readAll(eventLog, log)).events).toEqual([]);
  expect((await append()).duplicate).toBe(false);
  expect((await readAll(eventLog, log)).events.length).toBe(2);
});

it('says unavailable at once when there is no Redis to open', async () => {
  const server = await startServer();
  await server.stop();
  await expect(RedisLog.open(server.url())).rejects.toMatchObject({ code: 'unavailable' });
});

it('wakes who follows the feed after somebody has left it while Redis was away', async () => {
  const server = await startServer(DURABLE);
  const eventLog = await openLog(server);
  const leave = await eventLog.followFeed(() => {});
  await server.kill();
  await eventually(async () => {
    await expect(eventLog.feed()).rejects.toMatchObject({ code: 'unavailable' });
  });
  leave();
  await server.start();
  await eventually(() => eventLog.feed());
  let wakes = 0;
  await eventLog.followFeed(() => void wakes++, AbortSignal.timeout(5_000));
  await appendOne(eventLog, randomLog());
  await eventually(() => expect(wakes).toBeGreaterThan(1));
});
