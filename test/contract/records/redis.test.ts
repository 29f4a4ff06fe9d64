import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cookieSession } from '../../../src/gateway/identity/cookie-session.ts';
import { openStore } from '../../../src/stores/open.ts';
import { RedisRecords } from '../../../src/stores/redis/records/redis-records.ts';
import { recordsCases } from '../../../src/testing/contract/records/records-suite.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { runCases } from '../vitest-runner.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

runCases(
  'RedisRecords keeps the records contract',
  recordsCases({
    name: 'RedisRecords',
    lacks: { kept: 'Redis removes them by itself' },
    setup: async () => {
      const proxy = await TcpProxy.start(server.port);
      const commands = new Redis(server.url());
      return {
        open: () => RedisRecords.open(server.url()),
        // Redis has its own clock; a little more, as it counts from when it got the command.
        pass: (milliseconds) => sleep(milliseconds + 5),
        dispose: async () => {
          commands.disconnect();
          await proxy[Symbol.asyncDispose]();
        },
        capabilities: {
          lasting: true,
          shared: true,
          occupy: async (key) => {
            await commands.rpush(key, 'value');
          },
          lossy: {
            open: () =>
              RedisRecords.open(`redis://127.0.0.1:${proxy.port}/0`, { replyTimeout: 500 }),
            swallowReplies: () => proxy.swallowReplies(),
            hasSwallowed: () => proxy.swallowed > 0,
            cut: () => proxy.cut(),
            refuse: () => proxy.refuse(),
            heal: () => proxy.heal(),
          },
        },
      };
    },
  }),
);

test('a hash of another program reads as JSON, so that a session can be one, and is not changed', async () => {
  const commands = new Redis(server.url());
  const { records, close } = await openStore(server.url());
  const session = `session:${crypto.randomUUID()}`;
  await commands.hset(session, 'account', '7', 'theme', 'dark');
  expect(JSON.parse((await records.get(session))!)).toEqual({ account: '7', theme: 'dark' });
  await expect(records.compareAndSet(session, null, 'x')).rejects.toMatchObject({
    code: 'wrong_type',
  });

  const authenticate = cookieSession({ records, field: 'account' });
  const cookie = `session=${session.slice('session:'.length)}`;
  const request = new Request('http://localhost/', { headers: { cookie } });
  expect(await authenticate(request)).toMatchObject({ account: '7' });

  // A hash cannot hold one within another, so a name with a dot in it is a name.
  await commands.hset(session, 'user.id', '8', 'user', '{"id":9}');
  const dotted = cookieSession({ records, field: 'user.id' });
  expect(await dotted(request)).toMatchObject({ account: '8' });
  await close();
  commands.disconnect();
});

test('records are plain strings under their own keys', async () => {
  const commands = new Redis(server.url());
  const { records, close } = await openStore(server.url());
  try {
    await records.compareAndSet('session:abc', null, '1', { timeToLive: 60_000 });
    expect(await commands.get('session:abc')).toBe('1');
    expect(await commands.pttl('session:abc')).toBeGreaterThan(50_000);
    await commands.set('email:foreign@example.org', '7');
    expect(await records.get('email:foreign@example.org')).toBe('7');
    // A server that has forgotten the script, as after a restart.
    await commands.script('FLUSH');
    expect(await records.increment('account_id')).toBe(1);
    expect(await commands.incr('account_id')).toBe(2);
  } finally {
    await close();
    commands.disconnect();
  }
});
