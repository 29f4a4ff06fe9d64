/** Which commands are the same. */
import { expect, test } from 'vitest';
import { canonicalText, commandHash } from '../../../../src/decider/handling/command-id.ts';

const at = 1_526_919_030_474;

class Money {
  readonly amount: number;
  constructor(amount: number) {
    this.amount = amount;
  }
}

/** In each line all are the same, and none is the same as one of another line. */
const COMMANDS: readonly (readonly unknown[])[] = [
  [
    { a: 1, b: { c: [1, 2], d: 'x' } },
    { b: { d: 'x', c: [1, 2] }, a: 1 },
    { a: 1, b: { c: [1, 2], d: 'x' }, e: undefined },
  ],
  [{ a: 1, b: { c: [2, 1], d: 'x' } }],
  [{ a: '1' }],
  [{ a: 1 }, { a: 1.0, f: () => {} }, { a: 1, [Symbol('s')]: 2 }],
  [{ a: 1n }, { a: BigInt(1) }],
  [{ a: null }],
  [{ a: Number.NaN }],
  [{ a: Number.POSITIVE_INFINITY }],
  [{ a: 0 }, { a: -0 }],
  [{}, { a: undefined }, Object.create(null)],
  [[]],
  [undefined],
  [null],
  ['null'],
  ['undefined'],
  [{ at: new Date(at) }, { at: new Date(at).toISOString() }],
  [{ at: new Date(at + 1) }],
  [
    { bytes: new Uint8Array([1, 2, 3]) },
    { bytes: Buffer.from([1, 2, 3]) },
    { bytes: new Uint8Array([0, 1, 2, 3]).subarray(1) },
  ],
  [{ bytes: new Uint8Array([1, 2, 4]) }],
  [
    {
      map: new Map([
        ['a', 1],
        ['b', 2],
      ]),
    },
    {
      map: new Map([
        ['b', 2],
        ['a', 1],
      ]),
    },
  ],
  [
    {
      map: new Map([
        ['a', 2],
        ['b', 1],
      ]),
    },
  ],
  [{ map: new Set(['a', 'b']) }, { map: new Set(['b', 'a']) }],
  [{ map: ['a', 'b'] }],
  [{ money: new Money(5) }, { money: { amount: 5 } }],
  [{ money: new Money(6) }],
  [{ a: '","b":"' }],
  [{ a: ',', b: '' }],
  [[undefined], [() => {}]],
  [[[]]],
  [{ '': 1 }],
];

test('the same in other words is the same, and nothing else is', () => {
  const texts = COMMANDS.map((same) => new Set(same.map(canonicalText)));
  expect(texts.map(({ size }) => size)).toEqual(COMMANDS.map(() => 1));
  expect(new Set(texts.flatMap((set) => [...set])).size).toBe(COMMANDS.length);
});

test('it counts for which decider it is', () => {
  expect(commandHash('a', {})).not.toBe(commandHash('b', {}));
  expect(commandHash('a', { x: 1, y: 2 })).toBe(commandHash('a', { y: 2, x: 1 }));
  expect(commandHash('a', {})).toMatch(/^[A-Za-z0-9_-]{22}$/);
});

test('what cannot be written down is refused, and not shown', () => {
  const circle: Record<string, unknown> = { secret: 'hunter2' };
  circle.self = circle;
  let deep: unknown = 'hunter2';
  for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
  const throws = {
    get secret() {
      throw new Error('hunter2');
    },
  };
  for (const command of [circle, deep, throws]) {
    expect(() => commandHash('a', command)).toThrow(/^command must be a value that can be written/);
    expect(() => commandHash('a', command)).not.toThrow(/hunter2/);
  }
});
