import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  afterTaking,
  FULL,
  timeToNext,
  tokensLeft,
} from '../../../../src/gateway/limits/token-bucket.ts';

const rule = { rate: 10, burst: 5 };

test('a bucket starts full, is emptied, and fills at its rate', () => {
  expect(tokensLeft(rule, FULL, 1_000)).toBe(5);
  const empty = afterTaking(rule, FULL, 1_000, 5);
  expect(tokensLeft(rule, empty, 1_000)).toBe(0);
  expect(timeToNext(rule, empty, 1_000)).toBe(100);
  expect(tokensLeft(rule, empty, 1_099)).toBe(0);
  expect(tokensLeft(rule, empty, 1_100)).toBe(1);
  expect(tokensLeft(rule, empty, 9_000)).toBe(5);
});

test('whoever takes what there is never gets more than burst and rate allow, and no less', () => {
  const steps = fc.array(fc.tuple(fc.nat(500), fc.nat(7)), { maxLength: 60 });
  const rules = fc.record({ rate: fc.integer({ min: 1, max: 2_000 }), burst: fc.nat(50) });
  fc.assert(
    fc.property(steps, rules, (script, { rate, burst }) => {
      const some = { rate, burst: burst + 1 };
      let now = 0;
      let fullAt = FULL;
      // The bucket as one would write it down: a number that grows.
      let level = some.burst;
      for (const [wait, wanted] of script) {
        now += wait;
        level = Math.min(some.burst, level + (wait * rate) / 1_000);
        const left = tokensLeft(some, fullAt, now);
        expect(Math.abs(left - Math.floor(level + 1e-6))).toBeLessThanOrEqual(
          Math.abs(level - Math.round(level)) < 1e-5 ? 1 : 0,
        );
        const taken = Math.min(left, wanted);
        fullAt = afterTaking(some, fullAt, now, taken);
        level -= taken;
        const next = timeToNext(some, fullAt, now);
        if (next > 1e-2) expect(tokensLeft(some, fullAt, now)).toBe(0);
        expect(tokensLeft(some, fullAt, now + next + 1e-3)).toBeGreaterThan(0);
      }
    }),
  );
});
