import { expect, test } from 'vitest';
import {
  checkCategory,
  checkGroup,
  isWanted,
  parseJoinOptions,
} from '../../../src/work-queues/rules.ts';
import type { JoinOptions } from '../../../src/work-queues/work-queues.ts';

test('who joins without a word gets all logs from their start, for ten seconds', () => {
  expect(parseJoinOptions()).toEqual({ category: '', from: 'start', leaseTime: 10_000 });
});

test.each<[string, JoinOptions]>([
  ['category', { category: '' }],
  ['category', { category: 'a:b' }],
  ['from', { from: 'end' as never }],
  ['leaseTime', { leaseTime: 49 }],
  ['leaseTime', { leaseTime: 3_600_001 }],
  ['leaseTime', { leaseTime: 99.5 }],
])('a %s that breaks a rule is named: %j', (field, options) => {
  expect(() => parseJoinOptions(options)).toThrow(expect.objectContaining({ field }) as Error);
});

test.each(['', 'a b', 'a:b', 'x'.repeat(129), 5])('%j is the name of no group', (group) => {
  expect(() => checkGroup(group as string)).toThrow(
    expect.objectContaining({ field: 'group' }) as Error,
  );
});

test('a group stays with what it was made for, and says what that is', () => {
  expect(() => checkCategory('mails', 'account', 'account')).not.toThrow();
  expect(() => checkCategory('mails', '', 'account')).toThrow(
    /the group mails was made for: all logs, not the category account/,
  );
});

test('a group for all logs leaves out those of workers themselves; one for a category, the rest', () => {
  expect(isWanted('account:1', '')).toBe(true);
  expect(isWanted('dead-letter:mails', '')).toBe(false);
  expect(isWanted('dead-letter:mails', 'dead-letter')).toBe(true);
  expect(isWanted('account:1', 'account')).toBe(true);
  expect(isWanted('accounts:1', 'account')).toBe(false);
  expect(isWanted('account', 'account')).toBe(false);
});
