import { WrongType } from '../../../event/store-errors.ts';
import { FEED_KEY, FEED_MARKS_KEY } from '../keys.ts';

/** Somebody else's stream is under the key of the feed. */
export function feedOfOthers(): WrongType {
  return new WrongType(
    FEED_KEY,
    `${FEED_KEY} has entries that are none of ours (or of a version before the first); remove ${FEED_KEY} and ${FEED_MARKS_KEY}, and the feed is built anew`,
  );
}
