import { expect, test } from 'vitest';
import { project } from '../../../src/projection/project.ts';
import { MemoryRecords } from '../../../src/stores/memory/records/memory-records.ts';
import { eventually } from '../../support/eventually.ts';
import { FaultyReadModel } from './faulty-read-model.ts';
import { balances, MemoryStore, QUICK, rowsOf } from './memory-store.ts';

test('one instance works, the others wait and can be read', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 5);
  const instances = Array.from({ length: 3 }, () => project(store, { ...balances, ...QUICK }));
  await Promise.all(instances.map((each) => each.caughtUp()));
  const states = instances.map((each) => each.status().state);
  expect(states.filter((state) => state === 'live')).toHaveLength(1);
  expect(states.filter((state) => state === 'waiting')).toHaveLength(2);
  await store.deposit(1, 6);
  for (const each of instances) {
    await each.caughtUp();
    expect(await each.get('account:1')).toEqual({ balance: 11, events: 2 });
    expect(each.lag()).toBe(0);
  }
  // One after the other goes; whoever is left takes over.
  for (const each of instances) {
    await each.stop();
    await store.deposit(1, 1);
  }
  const last = project(store, { ...balances, ...QUICK });
  await last.caughtUp();
  expect(await last.get('account:1')).toEqual({ balance: 14, events: 5 });
  await last.stop();
});

test('an instance that was paused cannot commit when it wakes up', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 5);
  const pausing = new FaultyReadModel(store.readModels);
  let wakeUp = () => {};
  const paused = new Promise<void>((resolve) => {
    wakeUp = resolve;
  });
  let isPaused = false;
  pausing.beforeCommit = ({ changes }) => {
    if (changes.size === 0 || isPaused) return;
    isPaused = true;
    return paused;
  };
  // It never renews: that is how it is for a process that stands still.
  const leases = {
    get: store.records.get.bind(store.records),
    compareAndSet: store.records.compareAndSet.bind(store.records),
    lease: async (name: string, life: { timeToLive: number }) => {
      const lease = await store.records.lease(name, life);
      if (lease === undefined || isPaused) return lease;
      return { ...lease, renew: () => paused.then(() => lease.renew()) };
    },
  };
  const slow = project(
    { log: store.log, records: leases },
    { ...balances, ...QUICK, readModel: pausing },
  );
  await eventually(() => isPaused);
  const other = project(store, { ...balances, ...QUICK });
  await other.caughtUp();
  await store.deposit(1, 6);
  await other.caughtUp();
  wakeUp();
  await eventually(() => pausing.outcomes.includes('fenced'));
  await eventually(() => slow.status().state === 'waiting');
  await slow.caughtUp();
  expect(await rowsOf(slow)).toEqual({ 'account:1': { balance: 11, events: 2 } });
  await other.stop();
  await store.deposit(1, 1);
  await slow.caughtUp();
  expect(await rowsOf(slow)).toEqual({ 'account:1': { balance: 12, events: 3 } });
  await slow.stop();
});

test('a lease that is lost without a word is noticed', async () => {
  const store = new MemoryStore();
  const first = project(store, { ...balances, ...QUICK });
  await first.caughtUp();
  // As if its time were over, for the store.
  store.now += 3_600_000;
  const second = project(store, { ...balances, ...QUICK });
  await eventually(() => second.status().state === 'live');
  await eventually(() => first.status().state === 'waiting');
  await Promise.all([first.stop(), second.stop()]);
});

test('tokens that a store has forgotten are caught up with', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 5);
  for (let round = 0; round < 6; round += 1) {
    const projection = project(store, { ...balances, ...QUICK });
    await projection.caughtUp();
    await projection.stop();
  }
  // The records are lost; the log and the read model are not.
  const forgetful = { log: store.log, readModels: store.readModels, records: new MemoryRecords() };
  const projection = project(forgetful, { ...balances, ...QUICK });
  await store.deposit(1, 6);
  await projection.caughtUp();
  expect(await projection.get('account:1')).toEqual({ balance: 11, events: 2 });
  await projection.stop();
});
