import { expect, test } from 'vitest';
import { BackOff } from '../../../../src/client/connection/back-off.ts';

test('all of a wait is left to chance, and the longest doubles up to 30 s', () => {
  const longest = new BackOff(() => 1);
  const waits = Array.from({ length: 9 }, () => longest.next(false));
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  longest.reset();
  expect(longest.next(false)).toBe(500);
  expect(new BackOff(() => 0).next(false)).toBe(0);
});

test('a thousand that lose a gateway in one moment do not come back in one second', () => {
  const waits = Array.from({ length: 1_000 }, () => new BackOff(Math.random).next(true));
  const seconds = [0, 1, 2, 3].map(
    (second) => waits.filter((wait) => Math.floor(wait / 1_000) === second).length,
  );
  for (const count of seconds) expect(count).toBeLessThan(350);
  expect(seconds.reduce((sum, count) => sum + count)).toBe(1_000);
});
