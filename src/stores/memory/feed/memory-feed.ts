/** Reading the feed of a memory store: the readable reference of what a page of it is. */
import { isAfter, laterOf, predecessorOf } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import { BEFORE_FIRST, markedPosition, writeFeedCursor } from '../../../feed/cursor.ts';
import type { FeedCursor, FeedPage, Stretch } from '../../../feed/feed.ts';
import type { FeedRequest } from '../../../feed/options.ts';
import { FeedPageBuilder } from '../../../feed/page.ts';
import { placeInFeed } from '../../../feed/standing.ts';
import { type LogContents, placeAfter } from '../log/contents.ts';

/** @param feed the entry at position 1 first; each has one stretch, and none is ever removed */
export function readFeed(
  feed: readonly Stretch[],
  logs: ReadonlyMap<LogName, LogContents>,
  request: FeedRequest,
): FeedPage {
  const end = feed.length;
  const mark = feed[markedPosition(request.after) - 1];
  const { standing, from } = placeInFeed(request.after, {
    ...{ first: 1, next: request.after.position + 1 },
    ...{ end, mark },
  });
  const page = new FeedPageBuilder(request, standing, from);
  for (let position = from.position + 1; position <= end && !page.isFull; position++) {
    const entry = feed[position - 1]!;
    const at = { position, index: 0, count: 1, mark: entry };
    if (!entry.log.startsWith(request.prefix)) {
      page.pass(at);
      continue;
    }
    const { events, trimmed } = logs.get(entry.log)!;
    const after = laterOf(
      page.place.within?.after ?? predecessorOf(entry.first),
      predecessorOf(entry.first),
    );
    const found = events.slice(placeAfter(events, after), placeAfter(events, entry.last));
    if (!page.add(entry, at, found, !isAfter(trimmed, after))) break;
  }
  return page.page(end);
}

export function endOfFeed(feed: readonly Stretch[]): FeedCursor {
  return writeFeedCursor({ ...BEFORE_FIRST, position: feed.length, mark: feed.at(-1) });
}
