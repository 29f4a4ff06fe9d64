import { afterAll, beforeAll, describe, it } from 'vitest';
import { openStore, type Store } from '../../../src/stores/open.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { decidersSuite } from './deciders-suite.ts';

describe('deciders on Redis', () => {
  let server: RedisServer;
  let store: Store;

  beforeAll(async () => {
    server = await RedisServer.start();
    store = await openStore(server.url());
  });

  afterAll(async () => {
    await store?.close();
    await server?.[Symbol.asyncDispose]();
  });

  decidersSuite(it, async () => store);
});
