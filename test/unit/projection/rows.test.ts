/** What a row may hold, and that rows share nothing. */
import { expect, test } from 'vitest';
import { parseLogName } from '../../../src/event/log-name.ts';
import { project } from '../../../src/projection/project.ts';
import { MemoryStore, QUICK } from './memory-store.ts';

class Money {
  readonly amount = 5;
}

function circle(): unknown {
  const one: Record<string, unknown> = {};
  one.self = { one };
  return one;
}

test.each<[string, string, unknown]>([
  ['a date', 'state.due', { due: new Date(0) }],
  ['a date deep inside', 'state.lines[1].due', { lines: [{}, { due: new Date(0) }] }],
  ['no number', 'state.sum', { sum: Number.NaN }],
  ['a number without end', 'state.sum', { sum: Number.POSITIVE_INFINITY }],
  ['an instance of a class', 'state.money', { money: new Money() }],
  ['a map', 'state.members', { members: new Map() }],
  ['a set', 'state', new Set()],
  ['a function', 'state.call', { call: () => {} }],
  ['undefined in an array', 'state[0]', [undefined]],
  ['what contains itself', 'state', circle()],
  ['a large number', 'state.large', { large: 5n }],
])('%s in a row is refused at once, and by its place', async (_, place, state) => {
  const store = new MemoryStore();
  await store.deposit(1, 10, 20);
  await store.log.append(parseLogName('account:2'), [{ type: 'Spoilt', payload: 0 }]);
  const projection = project(store, {
    ...{ ...QUICK, name: 'rows', initial: (): unknown => ({ count: 0 }) },
    on: { Deposited: () => ({ count: 1 }), Spoilt: () => state },
  });
  await projection.ended();
  // Not by the row that the next process would have read.
  const { state: status, error, position } = projection.status();
  expect({ status, code: error?.code }).toEqual({ status: 'failed', code: 'projection_failed' });
  expect(error?.message).toMatch(/^the projection rows cannot handle the event \S+ \(Spoilt\) in /);
  expect(error?.message).toContain(`${place} must be a JSON value to be kept as a row (plain`);
  expect(position).toBeGreaterThan(0);
  expect(await projection.get('account:1')).toEqual({ count: 1 });
  expect(await projection.get('account:2')).toBeUndefined();
});

test('members that are undefined count as absent, and what is JSON is kept', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 10);
  const state = {
    none: null,
    gone: undefined,
    list: [1, 'two', [true]],
    bare: Object.create(null),
  };
  const projection = project(store, {
    ...{ ...QUICK, name: 'rows', initial: (): unknown => 0, on: { Deposited: () => state } },
  });
  await projection.caughtUp();
  const { gone: _, ...kept } = state;
  expect(await projection.get('account:1')).toEqual({ ...kept, bare: {} });
  await projection.stop();
});

test('a state that all rows begin with is changed for none but its own', async () => {
  const store = new MemoryStore();
  await Promise.all([store.deposit(1, 10), store.deposit(2, 20)]);
  const first = { sum: 0, amounts: [] as number[] };
  const projection = project(store, {
    ...{ ...QUICK, name: 'rows', initial: () => first },
    on: {
      Deposited(row, { payload }) {
        const { amount } = payload as { amount: number };
        row.sum += amount;
        row.amounts.push(amount);
      },
    },
  });
  await projection.caughtUp();
  expect(await projection.get('account:1')).toEqual({ sum: 10, amounts: [10] });
  expect(await projection.get('account:2')).toEqual({ sum: 20, amounts: [20] });
  await projection.stop();
  expect(first).toEqual({ sum: 0, amounts: [] });
});
