import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { RedisLog } from '../../../src/stores/redis/log/redis-log.ts';
import { RedisWorkQueues } from '../../../src/stores/redis/work-queues/redis-work-queues.ts';
import { workQueuesCases } from '../../../src/testing/contract/work-queues/work-queues-suite.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { runCases } from '../vitest-runner.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

runCases(
  'RedisWorkQueues keeps the contract of work queues',
  workQueuesCases({
    name: 'RedisWorkQueues',
    lacks: {},
    setup: async () => ({
      open: async () => {
        const log = await RedisLog.open(server.url());
        const queues = await RedisWorkQueues.open(server.url());
        const close = async () => {
          await Promise.all([log.close(), queues.close()]);
        };
        return { log, queues, close };
      },
      // Redis has its own clock; a little more, as it counts from when it got the command.
      pass: (milliseconds) => sleep(milliseconds + 5),
      dispose: async () => {},
      capabilities: { lasting: true },
    }),
  }),
);
