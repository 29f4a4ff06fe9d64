import { expect, test } from 'vitest';
import { Recent } from '../../../../src/gateway/limits/recent.ts';

const make = () => ({});

test('an entry is kept for the span after it was last asked for, and forgotten in time', () => {
  const recent = new Recent<object>(100);
  const one = recent.get('one', 1_000, make);
  for (const now of [1_050, 1_101, 1_200, 1_210, 1_310])
    expect(recent.get('one', now, make)).toBe(one);
  recent.get('other', 1_320, make);
  recent.get('other', 1_430, make);
  recent.get('other', 1_540, make);
  expect(recent.size).toBe(1);
  expect(recent.get('one', 1_545, make)).not.toBe(one);
});

test('more than it may remember are forgotten before their time, the last ones not', () => {
  const recent = new Recent<object>(1_000_000, 50);
  const entries = Array.from({ length: 10_000 }, (_, index) => recent.get(`${index}`, 1, make));
  expect(recent.size).toBeLessThanOrEqual(100);
  expect(recent.get('9999', 1, make)).toBe(entries[9_999]);
  expect(recent.get('9960', 1, make)).toBe(entries[9_960]);
});
