/** The rules for what callers ask of the feed, the same in every store. */
import { InvalidInput } from '../event/error.ts';
import { isCategory } from '../event/log-name.ts';
import { checkWhole } from '../log/options.ts';
import { BEFORE_FIRST, type FeedPlace, readFeedCursor } from './cursor.ts';
import type { FeedOptions } from './feed.ts';

export const DEFAULT_FEED_LIMIT = 1_000;
export const MAX_FEED_LIMIT = 100_000;
export const DEFAULT_FEED_BYTES = 1_048_576;

/** {@link FeedOptions} with everything filled in. */
export interface FeedRequest {
  readonly after: FeedPlace;
  readonly limit: number;
  readonly maxBytes: number;
  /** What the names of the logs asked for start with: `account:`, or nothing for all. */
  readonly prefix: string;
}

/** @throws InvalidInput naming the field that breaks a rule. */
export function parseFeedOptions(options: FeedOptions = {}): FeedRequest {
  const { after, limit, maxBytes, category } = options;
  if (category !== undefined && !isCategory(category)) {
    throw new InvalidInput('category', 'must be 1 to 64 characters of A-Z a-z 0-9 . _ -');
  }
  return {
    after: after === undefined ? BEFORE_FIRST : readFeedCursor(after),
    limit: checkWhole(limit ?? DEFAULT_FEED_LIMIT, 'limit', 1, MAX_FEED_LIMIT),
    maxBytes: checkWhole(maxBytes ?? DEFAULT_FEED_BYTES, 'maxBytes', 1, Number.MAX_SAFE_INTEGER),
    prefix: category === undefined ? '' : `${category}:`,
  };
}
