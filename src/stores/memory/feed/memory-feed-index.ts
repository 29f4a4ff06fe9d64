/** The index of the feed of a log in memory, as its pages tell it: there the events cost nothing. */
import type { FeedCursor, Stretch } from '../../../feed/feed.ts';
import type { FeedIndex, IndexPage } from '../../../feed/feed-index.ts';
import { lagBetween } from '../../../feed/stored-feed.ts';
import type { EventLog } from '../../../log/log.ts';

export class MemoryFeedIndex implements FeedIndex {
  readonly #log: Pick<EventLog, 'feed' | 'feedEnd'>;

  constructor(log: Pick<EventLog, 'feed' | 'feedEnd'>) {
    this.#log = log;
  }

  async read(after: FeedCursor, entries: number, category: string): Promise<IndexPage> {
    const page = await this.#log.feed({
      ...{ after, limit: entries, category: category === '' ? undefined : category },
    });
    const { items, standing, last } = page;
    const stretches = items.flatMap(({ log, events }): Stretch[] => {
      const [first] = events;
      return first === undefined ? [] : [{ log, first: first.id, last: events.at(-1)!.id }];
    });
    const behind = lagBetween(after, last);
    if (standing === 'whole') {
      return { stretches, next: page.cursor, more: page.more, behind, standing };
    }
    return { stretches: [], next: last, more: false, behind: Math.max(1, behind), standing };
  }

  end(): Promise<FeedCursor> {
    return this.#log.feedEnd();
  }
}
