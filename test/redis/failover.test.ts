/** Another server appears behind the address: a replica that was promoted. */
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { RecordingFollower } from '../../src/testing/contract/log/recording-follower.ts';
import { appendOne, readAll } from '../../src/testing/contract/log/say.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

async function startServer(): Promise<{ server: RedisServer; commands: Redis }> {
  const server = await RedisServer.start({ 'repl-diskless-sync-delay': '0' });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const commands = new Redis(server.url());
  onTestFinished(() => commands.disconnect());
  return { server, commands };
}

async function openBehindAddress(): Promise<{
  old: Redis;
  promoted: Redis;
  proxy: TcpProxy;
  failOver: () => Promise<void>;
  eventLog: RedisLog;
}> {
  const [first, second] = await Promise.all([startServer(), startServer()]);
  await second.commands.replicaof('127.0.0.1', first.server.port);
  await eventually(async () =>
    (await second.commands.info('replication')).includes('master_link_status:up'),
  );
  const proxy = await TcpProxy.start(first.server.port);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const eventLog = await RedisLog.open(`redis://127.0.0.1:${proxy.port}`, { sweepInterval: 0 });
  onTestFinished(() => eventLog.close());
  return {
    old: first.commands,
    promoted: second.commands,
    proxy,
    eventLog,
    async failOver() {
      await second.commands.replicaof('NO', 'ONE');
      // Of nobody who answers, so that it does not repeat what the new primary publishes.
      await first.commands.replicaof('127.0.0.1', await freePort());
      proxy.retarget(second.server.port);
    },
  };
}

it('follows the primary when the old one refuses to write, and listens there too', async () => {
  const { eventLog, failOver, promoted } = await openBehindAddress();
  const log = randomLog();
  const follower = new RecordingFollower();
  await eventLog.follow(log, follower);
  await appendOne(eventLog, log, 'before');
  await eventually(() => follower.told.length === 1);
  await eventually(async () => (await promoted.xlen(`${log}:log`)) === 1);

  await failOver();
  await expect(appendOne(eventLog, log, 'refused')).rejects.toMatchObject({ code: 'unavailable' });
  await eventually(() => appendOne(eventLog, log, 'after'));
  // Told, not only woken: the listening connection has moved as well.
  await eventually(async () => {
    await appendOne(eventLog, log, 'told');
    return follower.told.some(({ payload }) => payload === 'told');
  });
  const { events } = await readAll(eventLog, log);
  expect(events.slice(0, 2).map(({ payload }) => payload)).toEqual(['before', 'after']);
});

it('follows the primary when a trim is refused', async () => {
  const { eventLog, failOver, promoted } = await openBehindAddress();
  const log = randomLog();
  const id = await appendOne(eventLog, log, 'before');
  await eventually(async () => (await promoted.xlen(`${log}:log`)) === 1);
  await failOver();
  await expect(eventLog.trim(log, id)).rejects.toMatchObject({ code: 'unavailable' });
  await eventually(() => eventLog.trim(log, id));
  expect(await promoted.xlen(`${log}:log`)).toBe(0);
});

it('has its commands follow when only the connection that listens has moved', async () => {
  const { eventLog, failOver, old, promoted } = await openBehindAddress();
  await failOver();
  const log = randomLog();
  const clients = (await old.client('LIST')) as string;
  const listening = /id=(\d+) .*name=millrace-publications/.exec(clients)?.[1];
  if (listening !== undefined) await old.client('KILL', 'ID', listening);
  await eventually(async () => {
    const names = (await promoted.client('LIST')) as string;
    return names.includes('millrace-commands') && names.includes('millrace-publications');
  });
  await appendOne(eventLog, log);
  expect(await promoted.xlen(`${log}:log`)).toBe(1);
});
