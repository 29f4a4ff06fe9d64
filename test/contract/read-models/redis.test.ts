import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkpointKey, rowsKey } from '../../../src/stores/redis/read-models/keys.ts';
import { RedisReadModels } from '../../../src/stores/redis/read-models/redis-read-models.ts';
import { commit, contents } from '../../../src/testing/contract/read-models/contents.ts';
import { readModelCases } from '../../../src/testing/contract/read-models/read-models-suite.ts';
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
  'RedisReadModels keeps the read-model contract',
  readModelCases({
    name: 'RedisReadModels',
    lacks: {},
    setup: async () => {
      const proxy = await TcpProxy.start(server.port);
      const commands = new Redis(server.url());
      return {
        open: () => RedisReadModels.open(server.url()),
        dispose: async () => {
          commands.disconnect();
          await proxy[Symbol.asyncDispose]();
        },
        capabilities: {
          lasting: true,
          shared: true,
          closing: true,
          bounded: true,
          occupy: async (table, part) => {
            await commands.rpush((part === 'rows' ? rowsKey : checkpointKey)(table), 'value');
          },
          lossy: {
            open: () =>
              RedisReadModels.open(`redis://127.0.0.1:${proxy.port}/0`, { replyTimeout: 500 }),
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

test('a Redis without memory refuses a commit as a whole', async () => {
  await using small = await RedisServer.start({ 'maxmemory-policy': 'noeviction' });
  const readModels = await RedisReadModels.open(small.url());
  const commands = new Redis(small.url());
  try {
    await commit(readModels, 'a@1', null, 'one', { a: '1', b: '1' });
    await commands.config('SET', 'maxmemory', '1');
    const refused = { code: 'unavailable' };
    await expect(commit(readModels, 'a@1', 'one', 'two', { a: '2' })).rejects.toMatchObject(
      refused,
    );
    await expect(commit(readModels, 'a@1', 'one', 'two', { b: null })).rejects.toMatchObject(
      refused,
    );
    await commands.config('SET', 'maxmemory', '0');
    expect(await readModels.checkpoint('a@1')).toEqual({ cursor: 'one', token: 1 });
    expect(await contents(readModels, 'a@1')).toEqual({ a: '1', b: '1' });
  } finally {
    commands.disconnect();
    await readModels.close();
  }
});
