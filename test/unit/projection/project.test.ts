import { expect, test } from 'vitest';
import { project } from '../../../src/projection/project.ts';
import { eventually } from '../../support/eventually.ts';
import { account, balances, MemoryStore, QUICK, rowsOf } from './memory-store.ts';

test('folds each log into a row, from the start and live', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 5, 6);
  await store.deposit(2, 7);
  const projection = project(store, { ...balances, ...QUICK });
  await projection.caughtUp();
  expect(await projection.get('account:1')).toEqual({ balance: 11, events: 2 });
  expect(await projection.get('account:9')).toBeUndefined();
  await store.log.append(account(2), [{ type: 'Withdrawn', payload: { amount: 3 } }]);
  await projection.caughtUp();
  expect(await rowsOf(projection)).toEqual({
    'account:1': { balance: 11, events: 2 },
    'account:2': { balance: 4, events: 2 },
  });
  expect(projection.status()).toMatchObject({ state: 'live', lag: 0, version: 1, serving: 1 });
  // Without anybody asking, too.
  await store.deposit(3, 1);
  await eventually(async () => (await projection.get('account:3'))?.balance === 1);
  await projection.stop();
  expect(projection.status().state).toBe('stopped');
  await expect(projection.caughtUp()).rejects.toMatchObject({ code: 'closed' });
});
