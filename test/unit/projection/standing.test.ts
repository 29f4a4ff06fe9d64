import { expect, test } from 'vitest';
import { MAX_ID } from '../../../src/event/event-id.ts';
import { project } from '../../../src/projection/project.ts';
import { react } from '../../../src/projection/react.ts';
import { account, balances, MemoryStore, QUICK, rowsOf } from './memory-store.ts';

test('a store that has lost its tail ends it, and a new version starts afresh', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 5);
  const backup = store.log.snapshot();
  await store.deposit(1, 6);
  const projection = project(store, { ...balances, ...QUICK });
  const reaction = react(store, { ...QUICK, name: 'r', each: () => {} });
  await Promise.all([projection.caughtUp(), reaction.caughtUp()]);
  await Promise.all([projection.stop(), reaction.stop()]);
  store.log.restore(backup);
  await new Promise((resolve) => setTimeout(resolve, 2));
  await store.deposit(1, 7);

  const reset = { code: 'feed_reset', message: expect.stringMatching(/balances.*version/) };
  const again = project(store, { ...balances, ...QUICK });
  await expect(again.caughtUp()).rejects.toMatchObject(reset);
  await expect(
    react(store, { ...QUICK, name: 'r', each: () => {} }).caughtUp(),
  ).rejects.toMatchObject({ code: 'feed_reset' });
  expect(await rowsOf(again)).toEqual({ 'account:1': { balance: 11, events: 2 } });
  const next = project(store, { ...balances, ...QUICK, version: 2 });
  await next.caughtUp();
  expect(await rowsOf(next)).toEqual({ 'account:1': { balance: 12, events: 2 } });
  await next.stop();
});

test('events that were trimmed unseen end it, unless that is accepted', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 5);
  await store.deposit(2, 5);
  await store.log.trim(account(1), MAX_ID);
  const strict = project(store, { ...balances, ...QUICK });
  const trimmed = { code: 'feed_trimmed', message: expect.stringMatching(/account:1.*accept/) };
  await expect(strict.caughtUp()).rejects.toMatchObject(trimmed);
  const lenient = project(store, { ...balances, ...QUICK, trimmed: 'accept' });
  await lenient.caughtUp();
  await store.deposit(1, 6);
  await lenient.caughtUp();
  expect(await rowsOf(lenient)).toEqual({
    'account:1': { balance: 6, events: 1 },
    'account:2': { balance: 5, events: 1 },
  });
  await lenient.stop();
});
