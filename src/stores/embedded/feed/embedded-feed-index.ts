/** The index of the feed in LMDB. */
import { BEFORE_FIRST, type FeedPlace } from '../../../feed/cursor.ts';
import type { FeedCursor, Stretch } from '../../../feed/feed.ts';
import type { FeedIndex, IndexPage } from '../../../feed/feed-index.ts';
import { indexPage, indexPlace } from '../../../feed/index-page.ts';
import { endCursor, type FeedEnd } from '../../../feed/standing.ts';
import { reading } from '../embedded-store.ts';
import { COUNTERS_KEY, type Databases, type FeedEntry } from '../layout.ts';

export class EmbeddedFeedIndex implements FeedIndex {
  readonly #databases: Pick<Databases, 'feed' | 'counters'>;

  constructor(databases: Pick<Databases, 'feed' | 'counters'>) {
    this.#databases = databases;
  }

  async read(after: FeedCursor, entries: number, category: string): Promise<IndexPage> {
    return reading(() => {
      const place = indexPlace(after);
      const from = place ?? BEFORE_FIRST;
      // Entries of the feed are never removed.
      const facts = {
        ...{ first: 1, next: from.position + 1, mark: this.#entry(from.position) },
        ...this.#lastEntry(),
      };
      const { to, stretches } = this.#entries(from, entries, category);
      return indexPage(after, place, facts, to, stretches);
    });
  }

  async end(): Promise<FeedCursor> {
    return reading(() => endCursor(this.#lastEntry()));
  }

  #entries(from: FeedPlace, limit: number, category: string) {
    const range = {
      ...{ start: from.position, end: Number.MAX_SAFE_INTEGER, exclusiveStart: true, limit },
    };
    const prefix = category === '' ? '' : `${category}:`;
    const stretches: Stretch[] = [];
    let to = from;
    for (const { key: position, value: mark } of this.#databases.feed.getRange(range)) {
      to = { position, mark, within: undefined };
      if (mark.log.startsWith(prefix)) stretches.push(mark);
    }
    return { to, stretches };
  }

  #lastEntry(): FeedEnd {
    const end = this.#databases.counters.get(COUNTERS_KEY)?.lastFeed ?? 0;
    return { end, last: this.#entry(end) };
  }

  #entry(position: number): FeedEntry | undefined {
    return position === 0 ? undefined : this.#databases.feed.get(position);
  }
}
