/** The index of the feed of a log in memory, as its pages tell it: there the events cost nothing. */
import {
  FEED_START,
  type FeedCursor,
  type FeedStanding,
  type Stretch,
} from '../../../feed/feed.ts';
import type { FeedIndex, IndexPage } from '../../../feed/feed-index.ts';
import { indexPlace } from '../../../feed/index-page.ts';
import { lagBetween } from '../../../feed/stored-feed.ts';
import type { EventLog } from '../../../log/log.ts';

export class MemoryFeedIndex implements FeedIndex {
  readonly #log: Pick<EventLog, 'feed' | 'feedEnd'>;

  constructor(log: Pick<EventLog, 'feed' | 'feedEnd'>) {
    this.#log = log;
  }

  async read(after: FeedCursor, entries: number, category: string): Promise<IndexPage> {
    if (indexPlace(after) === undefined) return lost('reset', FEED_START, await this.end());
    const page = await this.#log.feed({
      ...{ after, limit: entries, category: category === '' ? undefined : category },
    });
    const { items, standing, last, cursor: next, more } = page;
    if (standing !== 'whole') return lost(standing, after, last);
    const stretches = items.flatMap(({ log, events }): Stretch[] => {
      const [first] = events;
      return first === undefined ? [] : [{ log, first: first.id, last: events.at(-1)!.id }];
    });
    return { stretches, next, more, behind: lagBetween(after, last), standing };
  }

  end(): Promise<FeedCursor> {
    return this.#log.feedEnd();
  }
}

function lost(standing: FeedStanding, after: FeedCursor, end: FeedCursor): IndexPage {
  const behind = Math.max(1, lagBetween(after, end));
  return { stretches: [], next: end, more: false, behind, standing };
}
