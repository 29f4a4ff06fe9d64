import { expect, test } from 'vitest';
import { parseLogName } from '../../../src/event/log-name.ts';
import { project } from '../../../src/projection/project.ts';
import { defineEvents } from '../../../src/typed/define-events.ts';
import { type } from '../../../src/typed/standard-schema.ts';
import { eventually } from '../../support/eventually.ts';
import { FaultyReadModel } from './faulty-read-model.ts';
import { account, balances, MemoryStore, QUICK, rowsOf } from './memory-store.ts';

test('folds each log into a row, from the start and live', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 5, 6);
  await store.deposit(2, 7);
  const projection = project(store, { ...balances, ...QUICK });
  expect(projection.lag()).toBe(Number.POSITIVE_INFINITY);
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

test('goes on where the one before it stopped', async () => {
  const store = new MemoryStore();
  for (let round = 1; round <= 3; round += 1) {
    await store.deposit(1, 10);
    const projection = project(store, { ...balances, ...QUICK });
    await projection.caughtUp();
    expect(await projection.get('account:1')).toEqual({ balance: 10 * round, events: round });
    await projection.stop();
  }
});

test('whatever the pages: small ones, one event in several, several logs in one append', async () => {
  const store = new MemoryStore();
  for (let round = 0; round < 20; round += 1) {
    for (const id of [1, 2, 3]) await store.deposit(id, 1, 2, 3, 4, 5, 6, 7);
  }
  const seven = { balance: 28 * 20, events: 7 * 20 };
  const whole = { 'account:1': seven, 'account:2': seven, 'account:3': seven };
  for (const [index, pageSize] of [1, 2, 5, 100, 10_000].entries()) {
    const name = `balances-${index}`;
    const projection = project(store, { ...balances, ...QUICK, name, pageSize });
    await projection.caughtUp();
    expect(await rowsOf(projection)).toEqual(whole);
    await projection.stop();
  }
});

test('rows can go and come back, in one page or in several', async () => {
  for (const pageSize of [1, 10_000]) {
    const store = new MemoryStore();
    const closed = [{ type: 'Closed', payload: { reason: 'x' } }];
    await store.deposit(1, 5);
    await store.log.append(account(1), closed);
    await store.deposit(1, 2);
    await store.deposit(2, 1);
    await store.log.append(account(2), closed);
    await store.log.append(account(3), closed);
    const projection = project(store, { ...balances, ...QUICK, pageSize });
    await projection.caughtUp();
    expect(await rowsOf(projection)).toEqual({ 'account:1': { balance: 2, events: 1 } });
    await store.log.append(account(1), closed);
    await projection.caughtUp();
    expect(await rowsOf(projection)).toEqual({});
    await projection.stop();
  }
});

test('an event is for one row, for several, or for none', async () => {
  const store = new MemoryStore();
  const transfers = defineEvents({ Transferred: type<{ from: string; to: string }>() });
  const transfer = (from: string, to: string) =>
    store.log.append(parseLogName('transfer:1'), [
      transfers.encode(transfers.create('Transferred', { from, to })),
    ]);
  await transfer('a', 'b');
  await transfer('b', 'b');
  await transfer('', '');
  await transfer('c', 'a');
  const projection = project(store, {
    ...QUICK,
    name: 'partners',
    events: transfers,
    key: ({ payload: { from, to } }) => (from === '' ? undefined : [from, to]),
    initial: () => 0,
    on: { Transferred: (count, { payload: { to } }, key) => count + (key === to ? 1 : 100) },
  });
  await projection.caughtUp();
  // From and to the same row, it is one row all the same.
  expect(await rowsOf(projection)).toEqual({ a: 101, b: 2, c: 100 });
  await projection.stop();
});

test('without definitions events come as they are; others are passed over unread', async () => {
  const store = new MemoryStore();
  const [text, bytes] = [parseLogName('mixed:1'), parseLogName('mixed:2')];
  await store.log.append(text, [
    { type: 'Said', payload: 'hello' },
    { type: 'Other', payload: { much: true } },
    { type: 'Said', payload: 'again', meta: { from: 'x' } },
  ]);
  await store.log.append(bytes, [{ type: 'Said', payload: new Uint8Array([1, 2]) }]);
  await store.log.append(bytes, [{ type: 'toString', payload: 1 }]);
  const projection = project(store, {
    ...QUICK,
    name: 'last-words',
    initial: (): { words: unknown; meta?: unknown } => ({ words: null }),
    on: {
      Said: (_, { payload, meta }) => ({
        words: payload instanceof Uint8Array ? [...payload] : payload,
        meta,
      }),
    },
  });
  await projection.caughtUp();
  expect(await rowsOf(projection)).toEqual({
    'mixed:1': { words: 'again', meta: { from: 'x' } },
    'mixed:2': { words: [1, 2], meta: {} },
  });
  await projection.stop();
});

test('reads a row only when it has to, and writes only what has changed', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 1);
  await store.deposit(2, 1);
  const readModel = new FaultyReadModel(store.readModels);
  const written: number[] = [];
  readModel.afterCommit = ({ changes }) => void written.push(changes.size);
  const first = project(store, { ...balances, ...QUICK, readModel });
  await first.caughtUp();
  for (let round = 0; round < 5; round += 1) {
    await store.deposit(1, 1);
    await first.caughtUp();
  }
  expect(readModel.gets).toBe(0);
  expect(written).toEqual([0, 2, 1, 1, 1, 1, 1]);
  await first.stop();
  const second = project(store, { ...balances, ...QUICK, readModel });
  for (let round = 0; round < 5; round += 1) {
    await store.deposit(1, 1);
    await second.caughtUp();
  }
  expect(readModel.gets).toBe(1);
  expect(await second.get('account:1')).toEqual({ balance: 11, events: 11 });
  await second.stop();
});

test('what is none of its business costs no commit, and is behind it all the same', async () => {
  const store = new MemoryStore();
  const readModel = new FaultyReadModel(store.readModels);
  const projection = project(store, { ...balances, ...QUICK, readModel });
  await projection.caughtUp();
  for (let round = 0; round < 50; round += 1) {
    await store.log.append(parseLogName('other:1'), [{ type: 'Other', payload: 1 }]);
    await projection.caughtUp();
    expect(projection.lag()).toBe(0);
  }
  expect(readModel.outcomes.length).toBeLessThan(10);
  await projection.stop();
  // Stopped, it keeps in mind how far it was.
  const end = await store.log.feedEnd();
  expect((await store.readModels.checkpoint('balances@1'))?.cursor).toBe(end);
});

test('a definition that breaks a rule is refused by the name of the field', () => {
  const store = new MemoryStore();
  const bad: readonly (readonly [object, string])[] = [
    [{ name: 'a b' }, 'name'],
    [{ version: 0 }, 'version'],
    [{ version: '2' }, 'version'],
    [{ initial: {} }, 'initial'],
    [{ key: 'log' }, 'key'],
    [{ on: undefined }, 'on'],
    [{ on: { Deposited: 1 } }, 'on.Deposited'],
    [{ onError: 'ignore' }, 'onError'],
    [{ trimmed: true }, 'trimmed'],
    [{ leaseTime: 1 }, 'leaseTime'],
    [{ pageSize: 0 }, 'pageSize'],
    [{ retries: { attempts: 0 } }, 'retries.attempts'],
  ];
  for (const [wrong, field] of bad) {
    expect(() => project(store, { ...balances, ...wrong }), field).toThrow(
      expect.objectContaining({ code: 'invalid_input', field }),
    );
  }
  const { log, records } = store;
  expect(() => project({ log, records }, balances)).toThrow(/readModel/);
});
