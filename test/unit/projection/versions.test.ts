import { expect, test } from 'vitest';
import { project } from '../../../src/projection/project.ts';
import { eventually } from '../../support/eventually.ts';
import { FaultyReadModel } from './faulty-read-model.ts';
import { balances, MemoryStore, QUICK, rowsOf } from './memory-store.ts';

const counts = {
  ...QUICK,
  name: 'balances',
  category: 'account',
  initial: () => ({ count: 0 }),
  on: { Deposited: ({ count }: { count: number }) => ({ count: count + 1 }) },
};

test('a new version is built beside the old one, and then takes its place', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 5, 6);
  const old = project(store, { ...balances, ...QUICK });
  await old.caughtUp();

  const readModel = new FaultyReadModel(store.readModels);
  let build = () => {};
  const mayBuild = new Promise<void>((resolve) => {
    build = resolve;
  });
  readModel.beforeCommit = ({ changes }) => (changes.size > 0 ? mayBuild : undefined);
  const next = project(store, { ...counts, version: 2, readModel });
  await eventually(() => next.status().state === 'catching-up');
  // Meanwhile the old one is what everybody sees, and it is live.
  await store.deposit(1, 7);
  await old.caughtUp();
  expect(await old.get('account:1')).toEqual({ balance: 18, events: 3 });
  expect(await next.get('account:1')).toEqual({ balance: 18, events: 3 });
  expect(next.status()).toMatchObject({ serving: 1, version: 2 });

  build();
  await next.caughtUp();
  expect(await next.get('account:1')).toEqual({ count: 3 });
  expect(await rowsOf(next)).toEqual({ 'account:1': { count: 3 } });
  // The old one notices, ends, and its table goes.
  await old.ended();
  expect(old.status().state).toBe('superseded');
  await eventually(async () => (await store.readModels.checkpoint('balances@1')) === null);
  await eventually(
    async () =>
      (await store.records.get('projection:balances:current')) === '{"serving":2,"versions":[2]}',
  );
  // Who reads through it sees what serves now, and can wait for it.
  await store.deposit(2, 1);
  await old.caughtUp();
  expect(await old.get('account:2')).toEqual({ count: 1 });
  await next.stop();
  await old.stop();
});

test('readers who do not know of the switch yet still find the old rows', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 5);
  const leaseTime = 2_000;
  const old = project(store, { ...balances, ...QUICK, leaseTime });
  await old.caughtUp();
  const next = project(store, { ...counts, leaseTime, version: 2 });
  await next.caughtUp();
  expect([{ balance: 5, events: 1 }, { count: 1 }]).toContainEqual(await old.get('account:1'));
  expect(await store.readModels.checkpoint('balances@1')).not.toBeNull();
  await Promise.all([old.stop(), next.stop()]);
});

test('tables that a dead process left behind are removed by the next one', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 5);
  const first = project(store, { ...balances, ...QUICK });
  await first.caughtUp();
  await first.stop();
  for (const version of [2, 3]) {
    const next = project(store, { ...counts, version, leaseTime: 60_000 });
    await next.caughtUp();
    await next.stop();
  }
  expect(await store.records.get('projection:balances:current')).toBe(
    '{"serving":3,"versions":[1,2,3]}',
  );
  const last = project(store, { ...counts, version: 3 });
  await eventually(
    async () =>
      (await store.records.get('projection:balances:current')) === '{"serving":3,"versions":[3]}',
  );
  expect(await store.readModels.checkpoint('balances@1')).toBeNull();
  expect(await store.readModels.checkpoint('balances@2')).toBeNull();
  expect(await last.get('account:1')).toEqual({ count: 1 });
  await last.stop();
});

test('an earlier version does nothing once a later one serves', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 5);
  const later = project(store, { ...counts, version: 7 });
  await later.caughtUp();
  const earlier = project(store, { ...balances, ...QUICK, version: 6 });
  await earlier.ended();
  expect(earlier.status()).toMatchObject({ state: 'superseded', serving: 7 });
  expect(await store.readModels.checkpoint('balances@6')).toBeNull();
  expect(await earlier.get('account:1')).toEqual({ count: 1 });
  await later.stop();
});

test('who waits for an earlier version waits for the one that serves, and is told when nobody works on that', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 5);
  const later = project(store, { ...balances, ...QUICK, version: 7 });
  await later.caughtUp();
  const earlier = project(store, { ...balances, ...QUICK, version: 6 });
  await store.deposit(1, 5);
  await earlier.caughtUp();
  expect(await earlier.get('account:1')).toEqual({ balance: 10, events: 2 });

  await later.stop();
  // All that there was has been counted.
  await earlier.caughtUp();
  await store.deposit(1, 5);
  const refused = { code: 'projection_superseded', serving: 7 };
  await expect(earlier.caughtUp()).rejects.toMatchObject(refused);
  await expect(earlier.caughtUp()).rejects.toThrow(/version 7 serves.*no process.*raise/);

  const waits = earlier.caughtUp();
  const again = project(store, { ...balances, ...QUICK, version: 7 });
  await waits;
  expect(await earlier.get('account:1')).toEqual({ balance: 15, events: 3 });
  await again.stop();
});

test('who waits when the store is closed is told that, by an instance that waits', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 5);
  const readModel = new FaultyReadModel(store.readModels);
  let hold = true;
  readModel.beforeCommit = async ({ changes }) => {
    while (hold && changes.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const works = project(store, { ...balances, ...QUICK, readModel });
  await eventually(() => works.status().state === 'catching-up');
  const waits = project(store, { ...balances, ...QUICK });
  await eventually(() => Number.isFinite(waits.lag()));
  const told = expect(waits.caughtUp()).rejects.toMatchObject({
    code: 'closed',
    message: 'the store of the projection balances has been closed',
  });
  await new Promise(setImmediate);
  expect(waits.status().state).toBe('waiting');
  const closing = store.log.close();
  await told;
  hold = false;
  await closing;
});
