/**
 * Whether a reader of the feed may go on from its cursor, and where: one pure function over what a
 * store knows, so that all stores answer alike.
 *
 *         first kept                     end
 *   ░░░░░░░░░┝━━━━━━━━━━━━━━━━━━━━━━━━━━━━┥
 *   trimmed      whole if the entry at        reset
 *                the cursor is the same,
 *                otherwise reset
 */
import {
  BEFORE_FIRST,
  type EntryMark,
  type FeedPlace,
  markedPosition,
  writeFeedCursor,
} from './cursor.ts';
import type { FeedCursor, FeedStanding } from './feed.ts';

/** How the feed ends at the moment of a read. */
export interface FeedEnd {
  /** How many entries the feed has given out. */
  readonly end: number;
  /** How the last of them ends; undefined if there is none, or it is not kept. */
  readonly last: EntryMark | undefined;
}

/** What a store knows of the feed at the moment of a read. */
export interface FeedFacts extends FeedEnd {
  /** The position of the first entry that is kept; `end + 1` if none is. */
  readonly first: number;
  /** The position of the first kept entry after the cursor's position; `end + 1` if none is. */
  readonly next: number;
  /** How the entry ends that the cursor's mark is about; undefined if it is not kept. */
  readonly mark: EntryMark | undefined;
}

/** How a reader stands, and the place after which its page begins. */
export interface Placed {
  readonly standing: FeedStanding;
  readonly from: FeedPlace;
}

export function placeInFeed(place: FeedPlace, { first, next, end, mark }: FeedFacts): Placed {
  const isOther =
    mark !== undefined &&
    place.mark !== undefined &&
    (mark.log !== place.mark.log || mark.last !== place.mark.last);
  if (markedPosition(place) > end || isOther) {
    return { standing: 'reset', from: { ...BEFORE_FIRST, position: first - 1 } };
  }
  // An entry that was begun is the next one: when it is gone, so is what was left of it.
  if (next > place.position + 1) {
    return { standing: 'trimmed', from: { ...BEFORE_FIRST, position: next - 1 } };
  }
  return { standing: 'whole', from: place };
}

export function endCursor({ end, last }: FeedEnd): FeedCursor {
  return writeFeedCursor({ position: end, mark: last, within: undefined });
}
