/** Events that clients wrote and that an application's own code cannot take: no client stops a reader. */

import { expect, test } from 'vitest';
import type { MillraceError } from '../../../src/event/error.ts';
import type { Notice } from '../../../src/metrics/notice.ts';
import { project } from '../../../src/projection/project.ts';
import { react } from '../../../src/projection/react.ts';
import { errorIn } from '../../support/notices.ts';
import { account, balances, MemoryStore, QUICK, rowsOf } from './memory-store.ts';

const from = { from: 'account:1' };
/** What no schema has refused: handlers cannot take it, nor is what they make of it a row. */
const POISONS = [null, { amount: undefined as unknown as number }, 'amount'];

async function poisoned(): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.deposit(1, 5);
  for (const payload of [...POISONS, null]) {
    await store.log.append(account(1), [{ type: 'Deposited', payload, meta: from }]);
  }
  await store.deposit(2, 7);
  return store;
}

test('a projection passes over what its handler or row cannot take of a client, and tells once', async () => {
  for (const pageSize of [1, 3, 10_000]) {
    const store = await poisoned();
    const told: MillraceError[] = [];
    const projection = project(store, {
      ...{ ...balances, ...QUICK, pageSize },
      onNotice: (notice) => void told.push(errorIn(notice)),
    });
    await projection.caughtUp();
    expect(await rowsOf(projection)).toEqual({
      'account:1': { balance: 5, events: 1 },
      'account:2': { balance: 7, events: 1 },
    });
    expect(projection.status()).toMatchObject({ state: 'live', skipped: 0, error: undefined });
    expect(projection.status().passedOver).toBeGreaterThanOrEqual(4);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ code: 'unreadable_event', log: 'account:1' });
    expect(told[0]?.message).toMatch(/Deposited.*cannot be handled.*account:1 sent it/);
    await projection.stop();
  }
});

test('so it does where the key cannot be taken', async () => {
  const store = await poisoned();
  const projection = project(store, {
    ...{ ...balances, ...QUICK },
    key: (event) => `bank-${'amount' in event.payload ? event.payload.amount.toFixed(0) : ''}`,
  });
  await projection.caughtUp();
  expect(Object.keys(await rowsOf(projection))).toEqual(['bank-5', 'bank-7']);
  await projection.stop();
});

test.each([
  ['what the application wrote', undefined, undefined],
  ['what a sender wrote that counts as the application', ['account:1'], from],
] as const)('%s still stops it', async (_, writers, meta) => {
  const store = new MemoryStore();
  await store.log.append(account(1), [{ type: 'Deposited', payload: null, meta }]);
  const projection = project(store, { ...balances, ...QUICK, writers });
  await expect(projection.caughtUp()).rejects.toMatchObject({ code: 'projection_failed' });
});

test("onError: 'stop' holds for everybody, and 'skip' as well", async () => {
  const store = await poisoned();
  const stops = project(store, { ...balances, ...QUICK, onError: 'stop' });
  await expect(stops.caughtUp()).rejects.toMatchObject({ code: 'projection_failed' });
  const skips = project(store, { ...balances, ...QUICK, name: 'other', onError: 'skip' });
  await skips.caughtUp();
  expect(skips.status()).toMatchObject({ skipped: 4, passedOver: 0 });
  await skips.stop();
});

test('a reaction passes it over after the retries, and the application stops it', async () => {
  const store = await poisoned();
  const done: number[] = [];
  const told: MillraceError[] = [];
  let tried = 0;
  const definition = {
    ...{ name: 'index', category: 'account', leaseTime: 300 },
    retries: { attempts: 2, firstDelay: 1 },
    onNotice: (notice: Notice) => void told.push(errorIn(notice)),
    each({ payload }: { payload: unknown }) {
      tried += 1;
      const { amount } = payload as { amount?: number };
      if (amount === undefined) throw new Error('no amount');
      done.push(amount);
    },
  };
  const reaction = react(store, definition);
  await reaction.caughtUp();
  expect(done).toEqual([5, 7]);
  expect(tried).toBeGreaterThanOrEqual(2 + 4 * 2);
  expect(reaction.status()).toMatchObject({ skipped: 0, passedOver: 4, state: 'live' });
  expect(told).toHaveLength(1);
  await store.log.append(account(1), [{ type: 'Deposited', payload: null }]);
  await expect(reaction.caughtUp()).rejects.toMatchObject({ code: 'projection_failed' });

  const strict = react(store, { ...definition, name: 'strict', onError: 'stop' });
  await expect(strict.caughtUp()).rejects.toMatchObject({ code: 'projection_failed' });
});
