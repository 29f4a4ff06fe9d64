import { afterAll, beforeAll } from 'vitest';
import { eventLogSuite } from '../../../src/testing/contract/log/event-log-suite.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { vitestRunner } from '../vitest-runner.ts';
import { RedisUnderTest } from './redis-under-test.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

eventLogSuite(
  {
    name: 'RedisLog',
    lacks: { clock: 'IDs come from the time of the Redis server' },
    setup: () => RedisUnderTest.on(server),
  },
  vitestRunner,
);
