import { afterAll, beforeAll } from 'vitest';
import { openStore } from '../../../src/stores/open.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { runCases } from '../vitest-runner.ts';
import { decidersCases } from './deciders-suite.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

runCases(
  'deciders on Redis',
  decidersCases({
    name: 'Redis',
    lacks: {},
    setup: async () => ({
      open: () => openStore(server.url()),
      dispose: async () => {},
      capabilities: {},
    }),
  }),
);
