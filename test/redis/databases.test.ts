/** Two databases of one Redis: the same log names, nothing else in common. */

import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { RecordingFollower } from '../../src/testing/contract/log/recording-follower.ts';
import { appendOne, event } from '../../src/testing/contract/log/say.ts';
import { eventually } from '../support/eventually.ts';
import { randomLog } from '../support/names.ts';
import { connectionIn } from '../support/notices.ts';
import { RedisServer } from '../support/redis-server.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

it('do not hear each other', async () => {
  const databases = await Promise.all(
    [0, 1, 11].map((database) => RedisLog.open(server.url(database), { sweepInterval: 0 })),
  );
  try {
    const log = randomLog();
    const followers = databases.map(() => new RecordingFollower());
    await Promise.all(databases.map((each, index) => each.follow(log, followers[index]!)));
    for (const [index, database] of databases.entries()) {
      await appendOne(database, log, `in ${index}`);
    }
    // A second event each: when that has arrived, whatever came before it has too.
    for (const [index, database] of databases.entries()) {
      await appendOne(database, log, `again in ${index}`);
    }
    for (const [index, follower] of followers.entries()) {
      await eventually(() => follower.told.length >= 2);
      expect(follower.told.map(({ payload }) => payload)).toEqual([
        `in ${index}`,
        `again in ${index}`,
      ]);
    }
  } finally {
    await Promise.all(databases.map((each) => each.close()));
  }
});

it('keep their logs, versions and producers apart', async () => {
  const [first, second] = await Promise.all([
    RedisLog.open(server.url(0)),
    RedisLog.open(server.url(1)),
  ]);
  try {
    const log = randomLog();
    const options = { expected: '0-0' as never, producer: { id: 'p', epoch: 0, seq: 0 } };
    await first.append(log, [event('first')], options);
    expect((await second.append(log, [event('second')], options)).duplicate).toBe(false);
    expect((await second.read(log)).events.map(({ payload }) => payload)).toEqual(['second']);
  } finally {
    await Promise.all([first.close(), second.close()]);
  }
});

it('are not taken for each other when the right to choose one was taken away', async () => {
  const admin = new Redis(server.url());
  onTestFinished(() => admin.disconnect());
  await admin.call('ACL', 'SETUSER', 'chooser', 'on', '>secret', '~*', '&*', '+@all');
  const told: string[] = [];
  const url = server.url(7).replace('redis://', 'redis://chooser:secret@');
  const eventLog = await RedisLog.open(url, {
    appendWait: 100,
    pingInterval: 200,
    onNotice: (notice) => void told.push(connectionIn(notice)[0]),
  });
  onTestFinished(() => eventLog.close());
  const log = randomLog();
  await admin.call('ACL', 'SETUSER', 'chooser', '-select');
  await admin.call('CLIENT', 'KILL', 'USER', 'chooser');
  await eventually(() => told.includes('refused'));
  await expect(appendOne(eventLog, log)).rejects.toMatchObject({ code: 'unavailable' });
  await admin.call('ACL', 'SETUSER', 'chooser', '+select');
  await eventually(() => appendOne(eventLog, log));
  expect(await admin.exists(`${log}:log`)).toBe(0);
  await admin.select(7);
  expect(await admin.exists(`${log}:log`)).toBe(1);
});
