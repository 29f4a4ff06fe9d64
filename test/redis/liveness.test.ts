/** Connections that are open and dead: nobody says so, nothing is answered. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import type { LogName } from '../../src/event/log-name.ts';
import { RedisLog, type RedisLogOptions } from '../../src/stores/redis/log/redis-log.ts';
import { RedisReadModels } from '../../src/stores/redis/read-models/redis-read-models.ts';
import { RedisRecords } from '../../src/stores/redis/records/redis-records.ts';
import { RedisWorkQueues } from '../../src/stores/redis/work-queues/redis-work-queues.ts';
import { RecordingFollower } from '../../src/testing/contract/log/recording-follower.ts';
import { appendOne } from '../../src/testing/contract/log/say.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** In the order in which the log opens them. */
const COMMANDS = 0;
const LISTENING = 1;
const WATCHING = 2;
/** Of work queues: the one for commands comes first. */
const WORK = 1;

async function openThroughProxy(
  options: RedisLogOptions,
): Promise<{ server: RedisServer; proxy: TcpProxy; eventLog: RedisLog }> {
  const server = await RedisServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const proxy = await TcpProxy.start(server.port);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const eventLog = await RedisLog.open(`redis://127.0.0.1:${proxy.port}`, options);
  onTestFinished(() => eventLog.close());
  return { server, proxy, eventLog };
}

it('fails a read whose connection is dead, and sweeps on over a new one', async () => {
  const options = { pingInterval: 200, sweepInterval: 50 };
  const { server, proxy, eventLog } = await openThroughProxy(options);
  const foreign = new Redis(server.url());
  onTestFinished(() => foreign.disconnect());
  const log = randomLog();
  const follower = new RecordingFollower();
  await eventLog.follow(log, follower);

  proxy.silence(COMMANDS);
  const start = performance.now();
  await expect(eventLog.read(log)).rejects.toMatchObject({ code: 'unavailable' });
  expect(performance.now() - start).toBeLessThan(2_000);

  await eventually(() => eventLog.read(log));
  const { wakes } = follower;
  await foreign.xadd(`${log}:log`, '*', 'type', 'Foreign', 'payload', '1');
  await eventually(() => follower.wakes > wakes);
});

it('replaces a dead connection that listens, and wakes whoever may have missed something', async () => {
  const { proxy, eventLog } = await openThroughProxy({ pingInterval: 200, sweepInterval: 0 });
  const log = randomLog();
  const follower = new RecordingFollower();
  await eventLog.follow(log, follower);
  const { wakes } = follower;
  proxy.silence(LISTENING);
  await appendOne(eventLog, log);
  await eventually(() => follower.wakes > wakes);
  await appendOne(eventLog, log);
  await eventually(() => follower.told.length === 1);
});

it('does not wait for a server that says nothing when it is opened', async () => {
  const mute = createServer((socket) => socket.on('error', () => {}));
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  onTestFinished(() => void mute.close());
  const { port } = mute.address() as AddressInfo;
  const opening = RedisLog.open(`redis://127.0.0.1:${port}`, { connectTimeout: 200 });
  await expect(opening).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('did not answer for 200 ms'),
  });
});

it('does not wait for a server that says nothing when it connects again', async () => {
  const { proxy, eventLog } = await openThroughProxy({ connectTimeout: 200 });
  const log = randomLog();
  proxy.swallowReplies();
  proxy.cut();
  await eventually(() => proxy.connections === 2 && proxy.swallowed > 0);
  proxy.heal();
  proxy.silence(COMMANDS);
  proxy.silence(LISTENING);
  await eventually(() => appendOne(eventLog, log));
});

it('keeps a connection that is only slow to answer', async () => {
  const { server, eventLog } = await openThroughProxy({ pingInterval: 500 });
  const foreign = new Redis(server.url());
  onTestFinished(() => foreign.disconnect());
  const idOf = async () => /id=(\d+) .*name=millrace-commands/.exec(await clients())?.[1];
  const clients = async () => (await foreign.client('LIST')) as string;
  const before = await idOf();
  const busy = `
    local function now() local time = redis.call('TIME') return time[1] * 1000 + time[2] / 1000 end
    local start = now()
    while now() - start < 300 do end`;
  for (let round = 0; round < 5; round += 1) {
    await Promise.all([foreign.eval(busy, 0), eventLog.read(randomLog())]);
  }
  expect(await idOf()).toBe(before);
});

it('leaves no timer behind when it cannot be opened', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const port = await freePort();
  const before = timers();
  await expect(RedisLog.open(`redis://127.0.0.1:${port}`)).rejects.toMatchObject({
    code: 'unavailable',
  });
  expect(timers()).toBeLessThanOrEqual(before);
});

it('notices a dead connection that waits for the feed', async () => {
  const { server, proxy, eventLog } = await openThroughProxy({ pingInterval: 200 });
  const other = await RedisLog.open(server.url());
  onTestFinished(() => other.close());
  let wakes = 0;
  const unfollow = await eventLog.followFeed(() => {
    wakes += 1;
  });
  onTestFinished(() => unfollow());
  await eventually(() => wakes > 0 && proxy.connections === 3);
  const before = wakes;
  proxy.silence(WATCHING);
  await appendOne(other, randomLog());
  await eventually(() => wakes > before);
});

it('notices a dead connection that waits for work, and takes what comes then', async () => {
  const server = await RedisServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const proxy = await TcpProxy.start(server.port);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const eventLog = await RedisLog.open(server.url());
  onTestFinished(() => eventLog.close());
  const queues = await RedisWorkQueues.open(`redis://127.0.0.1:${proxy.port}`, {
    pingInterval: 200,
  });
  onTestFinished(() => queues.close());
  const consumer = await queues.join('g', { leaseTime: 1_000 });
  onTestFinished(() => consumer.leave());
  const work = async (log: LogName) => {
    const taken = await consumer.take(10, 1_000);
    if (taken.some((each) => each.log === log)) return true;
    await consumer.look();
    return false;
  };
  // Nothing to do, and a wait longer than the interval: it is alive all the same.
  for (let round = 0; round < 3; round += 1) expect(await consumer.take(10, 1_000)).toEqual([]);
  expect(proxy.opened).toBe(2);
  proxy.silence(WORK);
  const begun = performance.now();
  await expect(consumer.take(10, 1_000)).rejects.toMatchObject({ code: 'unavailable' });
  expect(performance.now() - begun).toBeLessThan(5_000);
  const log = randomLog();
  await appendOne(eventLog, log);
  await eventually(() => work(log).catch(() => false));
});

it.each([
  ['records', RedisRecords, async (opened: RedisRecords) => void (await opened.get('a'))],
  [
    'read models',
    RedisReadModels,
    async (opened: RedisReadModels) => void (await opened.checkpoint('a')),
  ],
] as const)('notices a dead connection of %s', async (_what, store, ask) => {
  const server = await RedisServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const proxy = await TcpProxy.start(server.port);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const opened = await store.open(`redis://127.0.0.1:${proxy.port}`, { pingInterval: 200 });
  onTestFinished(() => opened.close());
  proxy.silence(0);
  // Also when nobody asks for anything.
  await eventually(() => proxy.opened === 2);
  await eventually(() => ask(opened as never));
});

it('gives up what hangs while it is opened, wherever that is', async () => {
  const mute = createServer((socket) => socket.on('error', () => {}));
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  onTestFinished(() => void mute.close());
  const { port } = mute.address() as AddressInfo;
  // TLS is never set up.
  const opening = RedisLog.open(`rediss://127.0.0.1:${port}`, { connectTimeout: 200 });
  await expect(opening).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('could not be reached within 200 ms'),
  });
});
