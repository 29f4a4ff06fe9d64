import { expect, test } from 'vitest';
import { parseRetries } from '../../../src/event/retries.ts';

test('waits longer each time, up to the longest, and never less than half of it', () => {
  for (const [chance, least] of [
    [0, 0.5],
    [1, 1],
  ] as const) {
    const { delayAfter } = parseRetries({ firstDelay: 100, maxDelay: 1_000, random: () => chance });
    expect([1, 2, 3, 4, 5, 100].map(delayAfter)).toEqual(
      [100, 200, 400, 800, 1_000, 1_000].map((most) => most * least),
    );
  }
  expect(parseRetries().attempts).toBe(5);
});

test('refuses what makes no sense', () => {
  expect(() => parseRetries({ attempts: 1.5 })).toThrow('retries.attempts');
  expect(() => parseRetries({ firstDelay: -1 })).toThrow('retries.firstDelay');
  expect(() => parseRetries({ maxDelay: Number.NaN })).toThrow('retries.maxDelay');
});
