import { afterAll, beforeAll } from 'vitest';
import { eventLogCases } from '../../../src/testing/contract/log/event-log-suite.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { runCases } from '../vitest-runner.ts';
import { RedisUnderTest } from './redis-under-test.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

runCases(
  'RedisLog keeps the event log contract',
  eventLogCases({
    name: 'RedisLog',
    lacks: { clock: 'IDs come from the time of the Redis server' },
    setup: () => RedisUnderTest.on(server),
  }),
);
