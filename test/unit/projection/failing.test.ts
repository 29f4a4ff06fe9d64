import { expect, test } from 'vitest';
import type { MillraceError } from '../../../src/event/error.ts';
import { parseLogName } from '../../../src/event/log-name.ts';
import { OutcomeUnknown, Unavailable } from '../../../src/event/store-errors.ts';
import { project } from '../../../src/projection/project.ts';
import { eventually } from '../../support/eventually.ts';
import { errorIn } from '../../support/notices.ts';
import { FaultyReadModel } from './faulty-read-model.ts';
import { account, balances, MemoryStore, QUICK, rowsOf } from './memory-store.ts';

/** Fails for a deposit of 13, after it has spoilt the state; for so many times, or always. */
function unlucky(times = Number.POSITIVE_INFINITY) {
  let failed = 0;
  return {
    ...balances,
    ...QUICK,
    on: {
      ...balances.on,
      Deposited(
        state: { balance: number; events: number },
        event: { payload: { amount: number } },
      ) {
        state.balance += event.payload.amount;
        state.events += 1;
        if (event.payload.amount === 13 && failed < times) {
          failed += 1;
          throw new RangeError(`secret of ${event.payload.amount}`);
        }
      },
    },
    tried: () => failed,
  };
}

test('a handler that throws is tried again, with the state as it was', async () => {
  for (const pageSize of [1, 3, 10_000]) {
    const store = new MemoryStore();
    await store.deposit(1, 1, 2, 13, 4);
    const definition = unlucky(3);
    const projection = project(store, { ...definition, pageSize });
    await projection.caughtUp();
    expect(definition.tried()).toBe(3);
    expect(await projection.get('account:1')).toEqual({ balance: 20, events: 4 });
    await projection.stop();
  }
});

test('a handler that goes on throwing ends it right before the event', async () => {
  for (const pageSize of [1, 3, 10_000]) {
    const store = new MemoryStore();
    await store.deposit(1, 1, 2);
    const { ids } = await store.log.append(account(2), [
      { type: 'Deposited', payload: { amount: 7 } },
      { type: 'Deposited', payload: { amount: 13 } },
      { type: 'Deposited', payload: { amount: 9 } },
    ]);
    const problems: MillraceError[] = [];
    const definition = unlucky();
    const projection = project(store, {
      ...definition,
      pageSize,
      onNotice: (notice) => void problems.push(errorIn(notice)),
    });
    const failure = { code: 'projection_failed', log: 'account:2', id: ids[1], type: 'Deposited' };
    await expect(projection.caughtUp()).rejects.toMatchObject(failure);
    await projection.ended();
    expect(problems).toMatchObject([failure]);
    const { message, cause } = problems[0]!;
    expect(message).toContain('the projection balances');
    expect(message).toContain(`${ids[1]} (Deposited) in account:2`);
    expect(message).toContain('RangeError');
    expect(message).not.toContain('secret');
    expect(cause).toBeInstanceOf(RangeError);
    expect(projection.status()).toMatchObject({ state: 'failed', error: failure });
    await expect(projection.caughtUp()).rejects.toMatchObject(failure);
    // Everything before it counts, and can be read; corrected, it goes on there.
    expect(await rowsOf(projection)).toEqual({
      'account:1': { balance: 3, events: 2 },
      'account:2': { balance: 7, events: 1 },
    });
    const corrected = project(store, { ...balances, ...QUICK, onChange: 'accept' });
    await corrected.caughtUp();
    expect(await corrected.get('account:2')).toEqual({ balance: 29, events: 3 });
    await corrected.stop();
  }
});

test('told to skip, it leaves the event out and says so', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 1, 13, 2, 13, 13, 3);
  const problems: MillraceError[] = [];
  const projection = project(store, {
    ...unlucky(),
    onError: 'skip',
    onNotice: (notice) => void problems.push(errorIn(notice)),
  });
  await projection.caughtUp();
  expect(await projection.get('account:1')).toEqual({ balance: 6, events: 3 });
  expect(problems.map(({ code }) => code)).toEqual(Array(3).fill('projection_failed'));
  expect(projection.status()).toMatchObject({ state: 'live', skipped: 3 });
  await projection.stop();
});

test('an event that is not defined ends it without further tries', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 1);
  await store.log.append(account(1), [{ type: 'Robbed', payload: {} }]);
  const projection = project(store, { ...balances, ...QUICK, retries: { firstDelay: 3_600_000 } });
  await expect(projection.caughtUp()).rejects.toThrow(/Robbed.*not defined/);
  expect(await projection.get('account:1')).toEqual({ balance: 1, events: 1 });
});

test('what cannot be a row ends it, with the event that made it so', async () => {
  const bad: readonly (readonly [string, unknown, RegExp])[] = [
    ['a promise', () => Promise.resolve({}), /at once/],
    ['no JSON', () => ({ big: 1n }), /JSON value/],
    [
      'a circle',
      () => {
        const circle: unknown[] = [];
        circle.push(circle);
        return circle;
      },
      /JSON value/,
    ],
    ['a function', () => () => {}, /JSON value/],
    ['too much', () => 'x'.repeat(5_000_000), /at most/],
  ];
  for (const [what, handler, message] of bad) {
    const store = new MemoryStore();
    await store.deposit(1, ...Array.from({ length: 20 }, () => 1));
    const last = await store.log.append(account(2), [{ type: 'Closed', payload: { reason: '' } }]);
    await store.deposit(3, 1, 1);
    const on = { ...balances.on, Closed: handler as () => null };
    const projection = project(store, { ...balances, ...QUICK, on });
    const failure = await projection.caughtUp().catch((error: MillraceError) => error);
    expect(failure, what).toMatchObject({ code: 'projection_failed', id: last.ids[0] });
    expect((failure as Error).message).toMatch(message);
    expect(await rowsOf(projection)).toEqual({ 'account:1': { balance: 20, events: 20 } });
  }
});

test('a key that is none ends it', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 1);
  for (const key of ['', 'x'.repeat(1_025), '\ud800']) {
    const projection = project(store, {
      ...balances,
      ...QUICK,
      name: `n${key.length}`,
      key: () => key,
    });
    await expect(projection.caughtUp()).rejects.toMatchObject({ code: 'projection_failed' });
  }
});

test('what is too much for one commit is committed in parts', async () => {
  const store = new MemoryStore();
  const log = parseLogName('large:1');
  const text = 'x'.repeat(900_000);
  for (let index = 0; index < 12; index += 1) {
    await store.log.append(log, [{ type: 'Grown', payload: text }]);
  }
  const projection = project(store, {
    ...QUICK,
    name: 'large',
    key: ({ id }) => id,
    initial: () => '',
    on: { Grown: (_, { payload }) => payload as string },
  });
  await projection.caughtUp();
  expect(Object.values(await rowsOf(projection))).toEqual(Array(12).fill(text));
  await projection.stop();
});

test('each event counts once, whatever becomes of a commit', async () => {
  const store = new MemoryStore();
  const readModel = new FaultyReadModel(store.readModels);
  let count = 0;
  const failures = [
    () => new Unavailable('test'),
    () => new OutcomeUnknown('test'),
    () => new Error('of another library'),
  ];
  readModel.beforeCommit = () => {
    count += 1;
    // It did not happen.
    if (count % 5 === 0) throw failures[count % 3]!();
  };
  readModel.afterCommit = () => {
    // It did.
    if (count % 7 === 0) throw new OutcomeUnknown('test');
  };
  const projection = project(store, { ...balances, ...QUICK, readModel, pageSize: 3 });
  for (let round = 0; round < 20; round += 1) {
    await store.deposit(round % 3, 1, 1, 1, 1, 1);
    if (round % 4 === 0) await projection.caughtUp();
  }
  await projection.caughtUp();
  const rows = Object.values(await rowsOf(projection));
  expect(rows.reduce((sum, { balance }) => sum + balance, 0)).toBe(100);
  expect(count).toBeGreaterThan(20);
  await projection.stop();
});

test('a store that is away is waited for, and told of once', async () => {
  const store = new MemoryStore();
  const readModel = new FaultyReadModel(store.readModels);
  const problems: string[] = [];
  const projection = project(store, {
    ...balances,
    ...QUICK,
    readModel,
    onNotice: (notice) => void problems.push(errorIn(notice).code),
  });
  await projection.caughtUp();
  let away = true;
  let tries = 0;
  readModel.beforeCommit = () => {
    tries += 1;
    if (away) throw new Unavailable('test');
  };
  await store.deposit(1, 5);
  await eventually(() => tries > 3);
  expect(projection.status().trouble).toContain('test');
  expect(await projection.get('account:1')).toBeUndefined();
  away = false;
  await projection.caughtUp();
  expect(await projection.get('account:1')).toEqual({ balance: 5, events: 1 });
  expect(projection.status()).toMatchObject({ state: 'live', trouble: undefined });
  expect(problems).toEqual(['unavailable']);
  await projection.stop();
});

test('ends with its store', async () => {
  const store = new MemoryStore();
  const projection = project(store, { ...balances, ...QUICK });
  await projection.caughtUp();
  await store.log.close();
  await store.records.close();
  await store.readModels.close();
  await projection.ended();
  expect(projection.status()).toMatchObject({ state: 'stopped', error: undefined });
});
