import { expect, test } from 'vitest';
import type { ReadModelCommit } from '../../../src/read-models/read-models.ts';
import {
  checkCommit,
  checkRowKey,
  checkTable,
  MAX_COMMIT_ROWS,
  MAX_COMMIT_SIZE,
} from '../../../src/read-models/rules.ts';

const commit = (change: Partial<ReadModelCommit>): ReadModelCommit => ({
  ...{ changes: new Map(), expected: null, next: 'one', token: 1 },
  ...change,
});
const refused = (field: string, code = 'invalid_input') =>
  expect.objectContaining({ field, code }) as Error;

test('a table is named in 1 to 200 plain characters', () => {
  for (const name of ['a', 'balances@2', `${'x'.repeat(199)}1`]) {
    expect(checkTable(name)).toBe(name);
  }
  for (const name of ['', 'a b', 'a/b', 'ä', 'x'.repeat(201), 'a\n', 7]) {
    expect(() => checkTable(name as string)).toThrow(refused('table'));
  }
});

test('the key of a row is counted in bytes', () => {
  for (const key of ['x', 'x'.repeat(1_024), '€'.repeat(341), 'a\0b']) {
    expect(checkRowKey(key)).toBe(key);
  }
  for (const key of ['', '\ud800', 'x'.repeat(1_025), '€'.repeat(342)]) {
    expect(() => checkRowKey(key)).toThrow(refused('key'));
  }
});

test.each<[string, Partial<ReadModelCommit>, string]>([
  ['an expectation that is no cursor', { expected: undefined as never }, 'expected'],
  ['nothing to be at then', { next: null as never }, 'next'],
  ['a token of 0', { token: 0 }, 'token'],
  ['half a token', { token: 1.5 }, 'token'],
  ['a row without a key', { changes: new Map([['', '1']]) }, 'key'],
  ['a row of half a character', { changes: new Map([['a', '\udfff']]) }, 'changes'],
  ['a row that is no text', { changes: new Map([['a', 1 as never]]) }, 'changes'],
])('a commit with %s is refused', (_, change, field) => {
  expect(() => checkCommit(commit(change))).toThrow(refused(field));
});

test('a commit has a size, and a limit to be made smaller than', () => {
  const rows = (count: number) =>
    new Map(Array.from({ length: count }, (_, at) => [String(at), null]));
  expect(
    checkCommit(
      commit({
        changes: new Map([
          ['ab', 'xyz'],
          ['c', null],
        ]),
      }),
    ),
  ).toBe(6);
  expect(() => checkCommit(commit({ changes: rows(MAX_COMMIT_ROWS) }))).not.toThrow();
  expect(() => checkCommit(commit({ changes: rows(MAX_COMMIT_ROWS + 1) }))).toThrow(
    refused('changes', 'too_large'),
  );
  const large = (size: number) => commit({ changes: new Map([['a', 'x'.repeat(size - 1)]]) });
  expect(checkCommit(large(MAX_COMMIT_SIZE))).toBe(MAX_COMMIT_SIZE);
  expect(() => checkCommit(large(MAX_COMMIT_SIZE + 1))).toThrow(refused('changes', 'too_large'));
});
