/** How far somebody else is who reads the feed. */
import type { FeedCursor } from '../feed/feed.ts';
import type { EventLog } from '../log/log.ts';

/** How many entries of the feed lie at or before `cursor` (at least), and how many there are. */
export async function positionOf(
  log: Pick<EventLog, 'feed'>,
  cursor: FeedCursor | null,
  category: string | undefined,
): Promise<{ readonly position: number; readonly end: number }> {
  const after = cursor === null ? {} : { after: cursor };
  const { items, position, end } = await log.feed({ ...after, limit: 1, category });
  // An event that comes after the cursor may complete an entry, or not.
  return { position: items.length === 0 ? position : Math.max(0, position - 1), end };
}
