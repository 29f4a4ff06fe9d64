/** The connection that listens: who waits for it, and what it may not be allowed to do. */
import { expect, it, onTestFinished } from 'vitest';
import { RedisLog, type RedisLogOptions } from '../../src/log/redis/redis-log.ts';
import { eventually } from '../support/eventually.ts';
import { randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';
import { RecordingFollower } from './recording-follower.ts';
import { appendOne } from './say.ts';

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
