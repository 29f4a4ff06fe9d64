/** The rules for what callers ask of work queues, the same in every store. */
import { InvalidInput } from '../event/error.ts';
import { isAccountId, isCategory, isOrdinary } from '../event/log-name.ts';
import type { JoinOptions } from './work-queues.ts';

/** No take waits longer than this, in milliseconds: a connection that waits cannot be asked whether it lives. */
export const LONGEST_WAIT = 1_000;

const DEFAULT_LEASE_TIME = 10_000;
const SHORTEST_LEASE_TIME = 50;
const LONGEST_LEASE_TIME = 3_600_000;

/** {@link JoinOptions} with everything filled in. */
export interface JoinRequest {
  readonly category: string;
  readonly from: 'start' | 'now';
  readonly leaseTime: number;
}

/** A group's name is the second half of its dead-letter log's. */
export function checkGroup(group: string): string {
  if (typeof group === 'string' && isAccountId(group)) return group;
  throw new InvalidInput('group', 'must be 1 to 128 characters of A-Z a-z 0-9 . _ -');
}

/** @throws InvalidInput naming the field that breaks a rule. */
export function parseJoinOptions(options: JoinOptions = {}): JoinRequest {
  const { category, from = 'start', leaseTime = DEFAULT_LEASE_TIME } = options;
  if (category !== undefined && !isCategory(category)) {
    throw new InvalidInput('category', 'must be 1 to 64 characters of A-Z a-z 0-9 . _ -');
  }
  if (from !== 'start' && from !== 'now')
    throw new InvalidInput('from', "must be 'start' or 'now'");
  if (
    !Number.isSafeInteger(leaseTime) ||
    leaseTime < SHORTEST_LEASE_TIME ||
    leaseTime > LONGEST_LEASE_TIME
  ) {
    throw new InvalidInput(
      'leaseTime',
      `must be a whole number of milliseconds from ${SHORTEST_LEASE_TIME} to ${LONGEST_LEASE_TIME}`,
    );
  }
  return { category: category ?? '', from, leaseTime };
}

/** @throws InvalidInput when a group is joined for another category than it was made for. */
export function checkCategory(group: string, made: string, asked: string): void {
  if (made === asked) return;
  const show = (category: string) => (category === '' ? 'all logs' : `the category ${category}`);
  throw new InvalidInput(
    'category',
    `must be what the group ${group} was made for: ${show(made)}, not ${show(asked)}; use another group`,
  );
}

/** Whether a group is to be told of a log. */
export function isWanted(log: string, category: string): boolean {
  return category === '' ? isOrdinary(log) : log.startsWith(`${category}:`);
}
