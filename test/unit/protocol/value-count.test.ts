import { expect, it, test } from 'vitest';
import { hasMoreValues, ValueCount } from '../../../src/protocol/value-count.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const encoder = new TextEncoder();

function count(text: string, step = 1_000_000): number {
  const counted = new ValueCount(encoder.encode(text));
  while (counted.look(step, Number.MAX_SAFE_INTEGER));
  return counted.values;
}

test.each([
  ['1', 1],
  ['"a,b[c{d"', 1],
  ['"\\",\\",\\\\"', 1],
  [`"${'x'.repeat(100)}\\",${'y'.repeat(100)}\\\\",1`, 2],
  [`"${'\\\\'.repeat(200)}",1`, 2],
  [`"${'\\"'.repeat(200)}",1`, 2],
  [`"${'x'.repeat(63)}\\`, 1],
  ['"never ends, [', 1],
  ['[1,2,3]', 4],
  ['{"a":1,"b":[2]}', 4],
  ['[],[],', 5],
  ['', 1],
])('%s has %i', (text, values) => {
  expect(count(text)).toBe(values);
});

it('is never less than the values that there are, wherever it pauses', () => {
  const { next: random, seed } = SeededRandom.fromEnvironment();
  const make = (depth: number): unknown => {
    const kind = Math.floor(random() * (depth > 4 ? 3 : 5));
    const many = Math.floor(random() * 4);
    if (kind === 0) return Math.floor(random() * 1_000);
    if (kind === 1) return ['\\', '"', ',[{', 'é\u0001', 'x'.repeat(90)][many]?.repeat(many * 20);
    if (kind === 2) return null;
    if (kind === 3) return Array.from({ length: many }, () => make(depth + 1) ?? null);
    return Object.fromEntries(
      Array.from({ length: many }, (_, index) => [`${index}"\\`, make(depth + 1) ?? null]),
    );
  };
  const values = (value: unknown): number =>
    typeof value !== 'object' || value === null
      ? 1
      : Object.values(value).reduce((sum: number, each) => sum + values(each), 1);
  for (let round = 0; round < 2_000; round += 1) {
    const value = make(0) ?? null;
    const text = JSON.stringify(value);
    const counted = count(text, 1 + Math.floor(random() * 200));
    expect(counted, `seed ${seed}`).toBe(count(text));
    expect(counted).toBeGreaterThanOrEqual(values(value));
    expect(counted).toBeLessThanOrEqual(2 * values(value));
  }
});

it('stops when it knows enough', () => {
  const bytes = encoder.encode('[],'.repeat(1_000));
  expect(hasMoreValues(bytes, 100)).toBe(true);
  expect(hasMoreValues(bytes, 2_000)).toBe(true);
  expect(hasMoreValues(bytes, 2_001)).toBe(false);
  const counted = new ValueCount(bytes);
  expect(counted.look(bytes.length, 100)).toBe(false);
  expect(counted.values).toBe(101);
});
