/** What a record remembers of an account, after somebody has been at it by hand. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAccounts } from '../../../src/accounts/accounts.ts';
import { accountLog, type LogName } from '../../../src/event/log-name.ts';
import { openStore, type Store } from '../../../src/stores/open.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { doByHand } from './deeds.ts';
import { ACCOUNT_ROWS } from './rows.ts';

const EVERY = 5;

let server: RedisServer;
let redis: Redis;
let store: Store;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url());
  store = await openStore(server.url());
});

afterAll(async () => {
  await store?.close();
  redis?.disconnect();
  await server?.[Symbol.asyncDispose]();
});

test.each(ACCOUNT_ROWS)('$deed of $key: $then', async ({ deed, key }) => {
  const { log, records } = store;
  const name = `${deed.toLowerCase()}@example.org`;
  const accounts = () => createAccounts({ log, records, rememberEvery: EVERY, sweepInterval: 0 });
  const { id } = await accounts().register({ email: `old-${name}` });
  const own = key.replace('account:1', accountLog(id));
  await write(log, accountLog(id));
  await accounts().get(id);
  const dump = await redis.dumpBuffer(own);
  expect(dump).not.toBeNull();
  await accounts().changeEmail(id, name);
  await write(log, accountLog(id));
  expect(await accounts().get(id)).toMatchObject({ email: name });

  await doByHand(redis, deed, own, dump);
  expect(await accounts().get(id)).toEqual({ id, email: name, status: 'open' });
  expect(await accounts().findByEmail(name)).toMatchObject({ id });
  // And it remembers again.
  expect(JSON.parse((await records.get(own))!).facts).toHaveLength(2);
});

test('a key of another type is passed by', async () => {
  const { log, records } = store;
  const accounts = createAccounts({ log, records, rememberEvery: EVERY, sweepInterval: 0 });
  const { id } = await accounts.register({ email: 'list@example.org' });
  await write(log, accountLog(id));
  await redis.lpush(`{${accountLog(id)}:log}:history`, 'something else');
  expect(await accounts.get(id)).toMatchObject({ status: 'open' });
});

async function write(log: Store['log'], name: LogName): Promise<void> {
  await log.append(
    name,
    Array.from({ length: 3 * EVERY }, () => ({ type: 'Clicked', payload: 1 })),
  );
}
