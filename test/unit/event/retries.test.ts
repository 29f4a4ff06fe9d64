import { expect, test } from 'vitest';
import { delayAfter, parseRetries } from '../../../src/event/retries.ts';

const DEFAULTS = { attempts: 5, firstDelay: 200, maxDelay: 60_000, certain: 0.5 };

test('waits longer each time, up to the longest, and never less than what is certain', () => {
  for (const certain of [0, 0.5, 1]) {
    for (const chance of [0, 0.25, 1]) {
      const retries = { firstDelay: 100, maxDelay: 1_000, random: () => chance };
      const { delayAfter: after } = parseRetries(retries, { ...DEFAULTS, certain });
      expect([1, 2, 3, 4, 5, 100].map(after)).toEqual(
        [100, 200, 400, 800, 1_000, 1_000].map((most) => most * (certain + (1 - certain) * chance)),
      );
    }
  }
});

test('what is left out is as it is by default', () => {
  for (const nothing of [undefined, {}]) {
    const policy = parseRetries(nothing, { ...DEFAULTS, certain: 1 });
    expect(policy.attempts).toBe(5);
    expect(policy.delayAfter(1)).toBe(200);
  }
});

test('a chance that is none does not keep anything from being tried again', () => {
  const broken = (): number => {
    throw new Error('no chance');
  };
  const odd = [broken, () => Number.NaN, () => -1, () => 1e9, () => Promise.resolve(1)];
  for (const random of odd as (() => number)[]) {
    expect(delayAfter(2, DEFAULTS, random)).toBe(200);
  }
});

test('refuses what makes no sense', () => {
  const refused = [
    [{ attempts: 1.5 }, 'retries.attempts'],
    [{ attempts: 0 }, 'retries.attempts'],
    [{ firstDelay: -1 }, 'retries.firstDelay'],
    [{ maxDelay: Number.NaN }, 'retries.maxDelay'],
    [3 as never, 'retries must be an object'],
  ] as const;
  for (const [retries, message] of refused) {
    expect(() => parseRetries(retries, DEFAULTS)).toThrow(message);
  }
});
