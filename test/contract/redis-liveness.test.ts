/** Connections that are open and dead: nobody says so, nothing is answered. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { RedisLog, type RedisLogOptions } from '../../src/log/redis/redis-log.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { RecordingFollower } from './recording-follower.ts';
import { appendOne } from './say.ts';

/** In the order in which the log opens them. */
const COMMANDS = 0;
const LISTENING = 1;

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
