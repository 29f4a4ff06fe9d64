/** The connection that listens: who waits for it, and what it may not be allowed to do. */

import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { RedisLog, type RedisLogOptions } from '../../src/stores/redis/log/redis-log.ts';
import { RecordingFollower } from '../../src/testing/contract/log/recording-follower.ts';
import { appendOne } from '../../src/testing/contract/log/say.ts';
import { eventually } from '../support/eventually.ts';
import { randomLog } from '../support/names.ts';
import { connectionIn } from '../support/notices.ts';
import { RedisServer } from '../support/redis-server.ts';

async function startServer(): Promise<RedisServer> {
  const server = await RedisServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

async function openLog(server: RedisServer, options?: RedisLogOptions): Promise<RedisLog> {
  const eventLog = await RedisLog.open(server.url(), options);
  onTestFinished(() => eventLog.close());
  return eventLog;
}

it('forgets at once who leaves while Redis is away, however many they are', async () => {
  const server = await startServer();
  const eventLog = await openLog(server, { sweepInterval: 0 });
  const log = randomLog();
  await server.kill();
  await eventually(async () => {
    await expect(eventLog.read(log)).rejects.toMatchObject({ code: 'unavailable' });
  });
  const staying = new RecordingFollower();
  const follow = eventLog.follow(log, staying);
  const left = new RecordingFollower();
  // Nobody who left may be kept, or copied for whoever comes next.
  for (let round = 0; round < 20; round += 1) {
    const leaving = Array.from({ length: 500 }, () => {
      const giveUp = new AbortController();
      return { giveUp, following: eventLog.follow(log, left, giveUp.signal) };
    });
    for (const { giveUp } of leaving) giveUp.abort();
    const outcomes = await Promise.allSettled(leaving.map(({ following }) => following));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
  }
  await server.start();
  await follow;
  await appendOne(eventLog, log);
  await eventually(() => staying.told.length === 1);
  expect(left.wakes + left.told.length).toBe(0);
});

const ALL_BUT_CHANNELS = ['on', '>secret', '~*', '+@all', 'resetchannels'];

async function userOf(server: RedisServer, ...rights: string[]): Promise<string> {
  const admin = new Redis(server.url());
  onTestFinished(() => admin.disconnect());
  await admin.call('ACL', 'SETUSER', 'someone', 'reset', ...rights);
  return server.url().replace('redis://', 'redis://someone:secret@');
}

it.each([
  { right: '&millrace:*', rights: ALL_BUT_CHANNELS },
  { right: '+subscribe', rights: ['on', '>secret', '~*', '&*', '+@all', '-subscribe'] },
  { right: '+script|load', rights: ['on', '>secret', '~*', '&*', '+@all', '-script'] },
  { right: '+info', rights: ['on', '>secret', '~*', '&*', '+@all', '-info'] },
])('says that $right is missing when it is opened', async ({ right, rights }) => {
  const server = await startServer();
  const url = await userOf(server, ...rights);
  await expect(RedisLog.open(url)).rejects.toMatchObject({
    code: 'unsupported_store',
    message: expect.stringContaining(right),
  });
});

it('does not take another database than it was told to', async () => {
  const server = await startServer();
  await expect(RedisLog.open(server.url(9_999))).rejects.toMatchObject({
    code: 'unsupported_store',
    message: expect.stringContaining('DB index is out of range'),
  });
});

it.each([
  { of: 'listening', taken: ['resetchannels'], given: '&millrace:*' },
  { of: 'loading scripts', taken: ['-script'], given: '+script' },
])('reports that the right of $of was taken, and goes on when it is given back', async (change) => {
  const server = await startServer();
  const url = await userOf(server, 'on', '>secret', '~*', '+@all', '&millrace:*');
  const told: string[] = [];
  const eventLog = await RedisLog.open(url, {
    pingInterval: 200,
    sweepInterval: 0,
    onNotice: (notice) => {
      const [state, reason] = connectionIn(notice);
      told.push(reason === '' ? state : `${state}: ${reason}`);
    },
  });
  onTestFinished(() => eventLog.close());
  const log = randomLog();
  const follower = new RecordingFollower();
  await eventLog.follow(log, follower);

  const admin = new Redis(server.url());
  onTestFinished(() => admin.disconnect());
  await admin.call('ACL', 'SETUSER', 'someone', ...change.taken);
  await admin.call('CLIENT', 'KILL', 'USER', 'someone');
  await eventually(() => told.some((line) => line.startsWith('refused: NOPERM')));
  await admin.call('ACL', 'SETUSER', 'someone', change.given);
  await eventually(() => told.at(-1) === 'restored');
  await eventually(async () => {
    await appendOne(eventLog, log);
    return follower.told.length > 0;
  });
  expect(told.filter((line) => line.startsWith('refused')).length).toBe(1);
});

it('reports a loss once, and the return once', async () => {
  const server = await startServer();
  const told: string[] = [];
  const eventLog = await openLog(server, {
    onNotice: (notice) => void told.push(connectionIn(notice)[0]),
  });
  await server.kill();
  await eventually(() => told.length > 0);
  await server.start();
  await eventually(() => appendOne(eventLog, randomLog()));
  expect(told).toEqual(['lost', 'restored']);
});
