import { expect, test } from 'vitest';
import type { Change } from '../../../src/records/records.ts';
import {
  checkChanges,
  checkKey,
  checkLeaseName,
  checkTimeToLive,
  MAX_BATCH_BYTES,
} from '../../../src/records/rules.ts';

const named = (field: string, code = 'invalid_input') =>
  expect.objectContaining({ field, code }) as Error;

test.each([
  ['a key of 1,024 bytes', () => checkKey('é'.repeat(512))],
  ['a key with any character', () => checkKey('session:\n\0 ')],
  ['the longest name of a lease', () => checkLeaseName('a'.repeat(128))],
  ['a millisecond', () => checkTimeToLive(1)],
])('%s is taken', (_, check) => {
  expect(check).not.toThrow();
});

test.each<[string, () => unknown, string, string?]>([
  ['no key', () => checkKey(''), 'key'],
  ['a key that is half a character', () => checkKey('\ud800'), 'key'],
  ['a key of fewer characters than bytes', () => checkKey('é'.repeat(513)), 'key', 'too_large'],
  ['a lease named with a slash', () => checkLeaseName('a/b'), 'name'],
  ['a lease with too long a name', () => checkLeaseName('a'.repeat(129)), 'name'],
  ['no time at all', () => checkTimeToLive(0), 'timeToLive'],
  ['half a millisecond', () => checkTimeToLive(0.5), 'timeToLive'],
])('%s is refused', (_, check, field, code) => {
  expect(check).toThrow(named(field, code));
});

test.each<[string, readonly Change[], string, string?]>([
  ['none', [], 'changes'],
  ['too many', Array.from({ length: 1_001 }, (_, at) => ({ key: `${at}`, add: 1 })), 'changes'],
  [
    'a key twice',
    [
      { key: 'a', add: 1 },
      { key: 'a', value: 'x' },
    ],
    'changes',
  ],
  ['nothing asked of a key', [{ key: 'a', value: 'x' }, { key: 'b' }], 'changes[1]'],
  ['a broken key', [{ key: '', add: 1 }], 'changes[0].key'],
  ['half a count', [{ key: 'a', add: 0.5 }], 'changes[0].add'],
  ['a number as value', [{ key: 'a', value: 1 as never }], 'changes[0].value'],
  [
    'an expectation that is half a character',
    [{ key: 'a', expected: '\udc00' }],
    'changes[0].expected',
  ],
  [
    'a life of what only is looked at',
    [{ key: 'a', expected: 'x', timeToLive: 5 }],
    'changes[0].timeToLive',
  ],
  [
    'a life of what is removed',
    [{ key: 'a', value: null, timeToLive: 5 }],
    'changes[0].timeToLive',
  ],
  ['a life that is over', [{ key: 'a', add: 1, timeToLive: 0 }], 'changes[0].timeToLive'],
  [
    'more bytes than characters may be',
    [{ key: 'a', value: 'é'.repeat(MAX_BATCH_BYTES / 2) }],
    'changes',
    'too_large',
  ],
])('a batch with %s is refused, and the field is named', (_, changes, field, code) => {
  expect(() => checkChanges(changes)).toThrow(named(field, code));
});

test('a batch counts by the bytes of what it expects and writes', () => {
  expect(checkChanges([{ key: 'ab', expected: 'é', value: 'xyz' }])).toBe(2 + 2 + 3);
  expect(
    checkChanges([
      { key: 'a', value: null },
      { key: 'b', add: -5 },
    ]),
  ).toBe(1 + 1 + 8);
});
