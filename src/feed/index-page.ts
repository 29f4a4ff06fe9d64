/** Puts a page of the feed's index together, and decides how its reader stands: the same in every store. */
import { InvalidInput } from '../event/error.ts';
import { BEFORE_FIRST, type FeedPlace, readFeedCursor, writeFeedCursor } from './cursor.ts';
import type { FeedCursor, FeedStanding, Stretch } from './feed.ts';
import type { IndexPage } from './feed-index.ts';
import { endCursor, type FeedFacts, placeInFeed } from './standing.ts';

/** Where the index is read from; `undefined` for what is no place at all. */
export function indexPlace(cursor: FeedCursor): FeedPlace | undefined {
  try {
    return readFeedCursor(cursor);
  } catch (error) {
    if (error instanceof InvalidInput) return undefined;
    throw error;
  }
}

/**
 * @param facts for `place`, or for the start where there is none
 * @param to after the last entry that was read
 */
export function indexPage(
  after: FeedCursor,
  place: FeedPlace | undefined,
  facts: FeedFacts,
  to: FeedPlace,
  stretches: readonly Stretch[],
): IndexPage {
  const { end } = facts;
  const { position } = place ?? BEFORE_FIRST;
  const standing = place === undefined ? 'reset' : standingAt(place, facts);
  if (standing !== 'whole') {
    const behind = Math.max(1, end - position);
    return { stretches: [], next: endCursor(facts), more: false, behind, standing };
  }
  const next = to.position === position ? after : writeFeedCursor(to);
  return { stretches, next, more: to.position < end, behind: end - position, standing };
}

/** A place whose entry is gone may be of another feed than the one that goes on after it. */
function standingAt(place: FeedPlace, facts: FeedFacts): FeedStanding {
  const { standing } = placeInFeed(place, facts);
  const goesOn = place.position > 0 && place.position < facts.end;
  const isSeen = place.mark !== undefined && facts.mark !== undefined;
  return standing === 'whole' && goesOn && !isSeen ? 'trimmed' : standing;
}
