/**
 * What a log remembers of trims under a guard, and what that says about the next one; the table is
 * in `kept-logs.ts`. Pure; for the stores that decide in this process (Redis does the same in its
 * script).
 */
import { type EventId, isAfter, ZERO_ID } from '../event/event-id.ts';
import type { TrimOutcome } from './kept-logs.ts';

export interface GuardedTrims {
  /** The greatest that one came with. */
  readonly fence: number;
  /** Through which event one has gone; `0-0` if all were refused. */
  readonly through: EventId;
}

const NONE: GuardedTrims = { fence: 0, through: ZERO_ID };

/**
 * @param isAsRead whether the log is as the trimmer knows it
 * @returns what comes of it, and what is remembered from now on
 */
export function judgeTrim(
  known: GuardedTrims = NONE,
  through: EventId,
  fence: number,
  isAsRead: () => boolean,
): { readonly outcome: TrimOutcome; readonly guarded: GuardedTrims } {
  if (fence < known.fence) return { outcome: 'fenced', guarded: known };
  const refused = { fence, through: known.through };
  if (!isAfter(through, known.through)) return { outcome: 'trimmed', guarded: refused };
  return isAsRead()
    ? { outcome: 'trimmed', guarded: { fence, through } }
    : { outcome: 'changed', guarded: refused };
}
