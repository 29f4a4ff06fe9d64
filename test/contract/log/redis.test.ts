import { afterAll, beforeAll } from 'vitest';
import { keptLogsCases } from '../../../src/testing/contract/kept-logs/kept-logs-suite.ts';
import type { KeptLogsKind } from '../../../src/testing/contract/kept-logs/kept-logs-under-test.ts';
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

const redis: KeptLogsKind = {
  name: 'RedisLog',
  lacks: { clock: 'IDs come from the time of the Redis server' },
  setup: () => RedisUnderTest.on(server),
};

runCases(`${redis.name} keeps the event log contract`, eventLogCases(redis));
runCases(`${redis.name} keeps logs as pages need them`, keptLogsCases(redis));
