/** How far somebody else is who reads the feed. */
import { BEFORE_FIRST, readFeedCursor, writeFeedCursor } from './cursor.ts';
import { FEED_START, type Feed, type FeedCursor } from './feed.ts';

/**
 * How far a reader is who has kept `cursor`, at least: what is not of its category, or not there any
 * more, it need not say that it has passed. To be asked about, not to read on from. And where the
 * feed ends.
 */
export async function passedBy(
  feed: Pick<Feed, 'page'>,
  cursor: FeedCursor | null,
  category: string | undefined,
): Promise<{ readonly cursor: FeedCursor; readonly end: FeedCursor }> {
  const page = await feed.page({ after: cursor ?? FEED_START, limit: 1, category });
  if (page.items.length === 0) return { cursor: page.cursor, end: page.last };
  // An event that comes after the cursor may complete an entry, or not.
  const { position } = readFeedCursor(page.cursor);
  const before = { ...BEFORE_FIRST, position: Math.max(0, position - 1) };
  return { cursor: writeFeedCursor(before), end: page.last };
}
