import { expect, test } from 'vitest';
import { copyOf } from '../../../src/event/copy.ts';
import { deepFreeze } from '../../../src/event/frozen.ts';

class Money {
  readonly amount: number;
  constructor(amount: number) {
    this.amount = amount;
  }
}

function everything() {
  return {
    list: [1, { deep: true }, [undefined]],
    map: new Map<unknown, unknown>([['a', { deep: true }]]),
    set: new Set<unknown>([1, { deep: true }]),
    date: new Date(5),
    bare: Object.assign(Object.create(null), { deep: [1] }),
    none: null,
    nothing: undefined,
  };
}

test('a copy is equal, and shares nothing that can be changed', () => {
  const value = deepFreeze(everything());
  const copy = copyOf(value);
  expect(copy).toEqual(everything());
  copy.list.push(2);
  (copy.list[1] as { deep: boolean }).deep = false;
  copy.map.clear();
  copy.set.add(2);
  copy.date.setTime(0);
  copy.bare.deep.push(2);
  expect(value).toEqual({ ...everything(), date: new Date(5) });
});

test('what is not plain is the same in the copy', () => {
  const value = { money: new Money(5), call: () => 1, bytes: new Uint8Array([1]) };
  const copy = copyOf(value);
  for (const name of Object.keys(value) as (keyof typeof value)[]) {
    expect(copy[name]).toBe(value[name]);
  }
  for (const plain of [1, 'text', null, undefined, 5n]) expect(copyOf(plain)).toBe(plain);
});

test('what contains itself, or something twice, does so in the copy', () => {
  const shared = { count: 0 };
  const value: Record<string, unknown> = { one: shared, other: shared };
  value.self = value;
  const copy = copyOf(value);
  expect(copy.self).toBe(copy);
  expect(copy.one).toBe(copy.other);
  expect(copy.one).not.toBe(shared);
});

test('what is frozen refuses to be changed, all the way down', () => {
  const value = deepFreeze(everything());
  const changes: readonly (() => unknown)[] = [
    () => value.list.push(1),
    () => {
      (value.list[1] as { deep: boolean }).deep = false;
    },
    () => value.map.set('b', 1),
    () => value.map.delete('a'),
    () => {
      (value.map.get('a') as { deep: boolean }).deep = false;
    },
    () => value.map.clear(),
    () => value.set.add(1),
    () => value.set.clear(),
    () => {
      for (const member of value.set)
        if (typeof member === 'object') Object.assign(member!, { x: 1 });
    },
  ];
  for (const change of changes) expect(change, String(change)).toThrow(TypeError);
  const instance = deepFreeze({ money: new Money(5), bytes: new Uint8Array([1]), at: new Date(5) });
  for (const each of Object.values(instance)) expect(Object.isFrozen(each)).toBe(false);
  expect(new Map(value.map).set('b', 1).size).toBe(2);
  expect(structuredClone(value.map).get('a')).toEqual({ deep: true });
});
