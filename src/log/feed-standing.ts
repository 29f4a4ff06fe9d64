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
import type { FeedStanding } from './feed.ts';
import { BEFORE_FIRST, type EntryMark, type FeedPlace, markedPosition } from './feed-cursor.ts';

/** What a store knows of the feed at the moment of a read. */
export interface FeedFacts {
  /** The position of the first entry that is kept; `end + 1` if none is. */
  readonly first: number;
  /** How many entries the feed has given out. */
  readonly end: number;
  /** How the entry at the cursor ends; undefined if it is not kept. */
  readonly mark: EntryMark | undefined;
}

/** How a reader stands, and the place after which its page begins. */
export interface Placed {
  readonly standing: FeedStanding;
  readonly from: FeedPlace;
}

export function placeInFeed(place: FeedPlace, { first, end, mark }: FeedFacts): Placed {
  const kept = first - 1;
  const marked = markedPosition(place);
  const isOther =
    mark !== undefined &&
    place.mark !== undefined &&
    (mark.log !== place.mark.log || mark.last !== place.mark.last);
  if (marked > end || isOther) {
    return { standing: 'reset', from: { ...BEFORE_FIRST, position: kept } };
  }
  const entryIsGone = place.within !== undefined && mark === undefined;
  if (place.position < kept || entryIsGone) {
    const position = Math.max(kept, marked);
    return { standing: 'trimmed', from: { ...BEFORE_FIRST, position } };
  }
  return { standing: 'whole', from: place };
}
