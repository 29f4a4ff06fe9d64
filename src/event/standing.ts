/**
 * Whether a reader may go on from its cursor: the table *Whole, trimmed or reset*, as one pure
 * function over what a store knows about a log. All stores answer with it.
 *
 *            trimmed mark          first kept                     version
 *   ─────────────┤░░░░░░░░░░░░░░░░░░░┝━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┥
 *     cursor:    │                   │  its event is there → whole   │
 *     trimmed    │ whole             │  a deletion explains it       │  reset: the store
 *                │ (nothing missed)  │  → whole; otherwise → reset   │  has lost its tail
 */
import {
  compareEventIds,
  type EventId,
  isAfter,
  laterOf,
  predecessorOf,
  successorOf,
  ZERO_ID,
} from './event-id.ts';

/** What a reader is told about its cursor. */
export type Standing =
  /** The page goes on right after the cursor. */
  | { readonly state: 'whole' }
  /** Events after the cursor were trimmed away; the page starts after `resumeAfter`. */
  | { readonly state: 'trimmed'; readonly resumeAfter: EventId }
  /** The store has lost events that the reader has seen; the page starts with the first kept event. */
  | { readonly state: 'reset'; readonly version: EventId };

export const WHOLE: Standing = { state: 'whole' };

/** What a store knows about a log at the moment of a read. */
export interface LogFacts {
  /** The last ID given out. */
  readonly version: EventId;
  /** The first event that is kept; undefined for a log that holds none. */
  readonly first: EventId | undefined;
  /** Through which ID the log was trimmed by us; `0-0` if it never was. */
  readonly trimmed: EventId;
  /** The greatest ID that was deleted one by one (Redis: `max-deleted-entry-id`); `0-0` if none was. */
  readonly maxDeleted: EventId;
  /** Whether events are gone that our own trims do not account for: others trimmed or deleted some. */
  readonly othersRemoved: boolean;
  /** Whether the cursor's own event is kept. */
  readonly holdsCursor: boolean;
}

/** Where a reader with this cursor stands. `0-0` names no event: it asks for everything. */
export function standingOf(cursor: EventId, facts: LogFacts): Standing {
  const { version, first, trimmed, maxDeleted, othersRemoved } = facts;
  if (facts.holdsCursor) return WHOLE;
  if (isAfter(cursor, version)) return { state: 'reset', version };
  if (isAfter(trimmed, cursor)) return { state: 'trimmed', resumeAfter: trimmed };
  if (cursor === version) return WHOLE;
  if (cursor !== ZERO_ID && compareEventIds(cursor, maxDeleted) <= 0) return WHOLE;
  // The last one trimmed; but where others removed events too, they may have gone further than we.
  if (cursor === trimmed && cursor !== ZERO_ID && !othersRemoved) return WHOLE;

  const belowFirst = first === undefined || isAfter(first, cursor);
  if (cursor === ZERO_ID) {
    // Without a mark, only the absence of deletions shows that somebody else trimmed.
    const trimmedByOthers = othersRemoved && maxDeleted === ZERO_ID;
    return trimmedByOthers ? trimmedBefore(first, version, trimmed) : WHOLE;
  }
  if (!belowFirst || !othersRemoved) return { state: 'reset', version };
  if (first !== undefined && successorOf(cursor) === first) return WHOLE;
  return trimmedBefore(first, version, trimmed);
}

function trimmedBefore(first: EventId | undefined, version: EventId, trimmed: EventId): Standing {
  const resumeAfter = first === undefined ? version : predecessorOf(first);
  return { state: 'trimmed', resumeAfter: laterOf(resumeAfter, trimmed) };
}
