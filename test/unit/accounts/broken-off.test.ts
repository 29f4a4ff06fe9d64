/** Every step at which a registration, a change or a closing can be broken off, one by one. */
import { describe, expect, test } from 'vitest';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../../src/stores/memory/records/memory-records.ts';
import { CLAIM_TIME, type Process, type Task, World } from '../../property/accounts-world.ts';
import {
  disagreements,
  openAttempts,
  readAccountLogs,
  sharedAddresses,
} from '../../support/account-invariants.ts';

const OLD = 'old@example.org';
const NEW = 'new@example.org';
const TASKS: readonly Task[] = [
  { does: 'register', email: NEW },
  { does: 'changeEmail', id: '1', email: NEW },
  { does: 'close', id: '1' },
];

/** One call, a change that is tried again and again, and all that happens for a while. */
const WEATHERS = [
  { calls: 1, also: 'reads' },
  { calls: 3, also: 'writes' },
  { calls: 4, also: 'reads' },
] as const;

async function setUp(lastFirst = false) {
  const store = { log: new MemoryLog(), records: new MemoryRecords() };
  const world = new World(store, 'w', lastFirst);
  const observer = world.observer();
  await observer.register({ email: OLD });
  return { world, observer, records: world.store.records as MemoryRecords };
}

async function finish(process: Process): Promise<number> {
  let steps = 0;
  for (; process.answer === undefined; steps += 1) await process.step('done');
  return steps;
}

async function check({ store }: World): Promise<void> {
  const logs = await readAccountLogs(store.log, store.records);
  expect(sharedAddresses(logs)).toEqual([]);
  expect(await disagreements(logs, store.records, [OLD, NEW])).toEqual([]);
  expect(await openAttempts(store.records)).toEqual([]);
}

describe.each(
  TASKS.flatMap((task) => [
    { ...task, order: 'in order', lastFirst: false },
    { ...task, order: 'last one first', lastFirst: true },
  ]),
)('$does, of what is asked at the same time $order', ({ order: _, lastFirst, ...task }) => {
  test('can crash anywhere, and goes on anywhere, however late', async () => {
    const steps = await finish(await (await setUp(lastFirst)).world.start(task));
    expect(steps).toBeGreaterThan(5);
    for (let crash = 0; crash < steps; crash += 1) {
      const { world, observer } = await setUp(lastFirst);
      const process = await world.start(task);
      for (let step = 0; step < crash; step += 1) await process.step('done');
      world.now += CLAIM_TIME;
      await observer.sweep();
      await check(world);
      // Somebody else gets the addresses, if they are free.
      for (const email of [OLD, NEW]) await observer.register({ email }).catch(() => {});
      await finish(process);
      await check(world);
    }
  });

  test('makes way for others once it is overdue, without a sweep', async () => {
    const steps = await finish(await (await setUp(lastFirst)).world.start(task));
    for (let crash = 0; crash < steps; crash += 1) {
      const { world, observer } = await setUp(lastFirst);
      const process = await world.start(task);
      for (let step = 0; step < crash; step += 1) await process.step('done');
      world.now += CLAIM_TIME;
      for (const email of [OLD, NEW]) {
        const registered = await observer.register({ email }).catch(() => undefined);
        const held = await observer.findByEmail(email);
        expect(held, `${email} after ${crash} steps`).toBeDefined();
        if (registered !== undefined) expect(held).toEqual(registered);
      }
    }
  });

  test.each(['unanswered', 'lost', 'late', 'unavailable'] as const)(
    'can have any step end as %s',
    async (fate) => {
      const steps = await finish(await (await setUp(lastFirst)).world.start(task));
      for (let bad = 0; bad < steps; bad += 1) {
        for (const weather of WEATHERS) {
          const { world, observer } = await setUp(lastFirst);
          const process = await world.start(task);
          for (let step = 0; step < bad; step += 1) await process.step('done');
          process.expose({ ...weather, fate });
          await finish(process);
          // Whatever was not answered comes to pass when others have been busy.
          await observer.register({ email: NEW }).catch(() => {});
          await observer.close('1').catch(() => {});
          await world.landAll();
          world.now += CLAIM_TIME;
          await observer.sweep();
          for (const email of [OLD, NEW]) await observer.findByEmail(email);
          await check(world);
        }
      }
    },
  );
});

test.each(TASKS)('$does does not mind one lost answer', async (task) => {
  const steps = await finish(await (await setUp()).world.start(task));
  const refused: string[] = [];
  for (let bad = 0; bad < steps; bad += 1) {
    for (const fate of ['unanswered', 'lost'] as const) {
      const { world } = await setUp();
      const process = await world.start(task);
      for (let step = 0; step < bad; step += 1) await process.step('done');
      process.expose({ fate, calls: 1, also: 'writes' });
      await finish(process);
      if (process.answer?.told !== 'done') refused.push(JSON.stringify(process.answer));
      await check(world);
    }
  }
  // Only where the number of an account is asked for: nothing has begun there.
  const numberLost = '{"told":"refused","code":"unavailable"}';
  expect(new Set(refused)).toEqual(new Set(task.does === 'register' ? [numberLost] : []));
});

test('what is refused leaves nothing behind, at once', async () => {
  const { world, observer, records } = await setUp();
  // Stuck with the old address on its way out, before its event.
  const stuck = await world.start({ does: 'close', id: '1' });
  while ((await records.get(`{email:${OLD}}:reservation`))?.includes('held')) {
    await stuck.step('done');
  }
  const kept = records.size;
  await expect(observer.changeEmail('1', NEW)).rejects.toMatchObject({ code: 'account_busy' });
  expect(records.size).toBe(kept);
  await observer.register({ email: NEW });
});

test('a change that meets another one of the same account gives back what it has', async () => {
  const { world, observer, records } = await setUp();
  const first = await world.start({ does: 'changeEmail', id: '1', email: NEW });
  while (!(await records.get(`{email:${OLD}}:reservation`))?.includes('releasing')) {
    await first.step('done');
  }
  // Another program changes the account, so that this change is none any more.
  const { log } = world.store;
  await log.append('account:1' as never, [{ type: 'AccountClosed', payload: {} }]);
  await finish(first);
  expect(first.answer).toEqual({ told: 'refused', code: 'account_closed' });
  expect(await records.get(`{email:${NEW}}:reservation`)).toBeNull();
  expect(await records.get(`{email:${OLD}}:reservation`)).toContain('held');
  expect(await openAttempts(records)).toEqual([]);
  await observer.register({ email: NEW });
});

test('the request to claim an address that arrives after it was given up blocks nobody', async () => {
  const { world, observer, records } = await setUp();
  const process = await world.start({ does: 'register', email: NEW });
  // The first claim is late, its repetition is answered.
  while ((await records.get('account_id')) === '1') await process.step('done');
  const listed = async () => (await openAttempts(records)).length > 0;
  while (!(await listed())) await process.step('done');
  process.expose({ fate: 'late', calls: 1, also: 'writes' });
  await finish(process);
  expect(process.answer).toEqual({ told: 'done', id: '2' });
  await observer.close('2');
  await world.landAll();
  expect(await records.get(`{email:${NEW}}:reservation`)).toContain('claiming');
  world.now += CLAIM_TIME;
  expect((await observer.register({ email: NEW })).id).toBe('3');
});
