/** The feed of a store, for those who were given one without it: then by way of its log. */
import type { Feed, FeedCursor, FeedOptions, FeedPage, FeedStanding } from './feed.ts';
import { hasReached, lagBetween } from './stored-feed.ts';

/** How a log hands out the feed, whatever else it does. */
export interface LogWithFeed {
  feed(options?: FeedOptions): Promise<FeedPage>;
  followFeed(wake: () => void, signal?: AbortSignal): Promise<() => void>;
  feedEnd(): Promise<FeedCursor>;
}

export interface StoreWithFeed {
  readonly log: LogWithFeed;
  /** Left out: what the log hands out. */
  readonly feed?: Feed | undefined;
}

export function feedOf({ feed, log }: StoreWithFeed): Feed {
  return feed ?? new FeedOfLog(log);
}

class FeedOfLog implements Feed {
  readonly #log: LogWithFeed;

  constructor(log: LogWithFeed) {
    this.#log = log;
  }

  page(options?: FeedOptions): Promise<FeedPage> {
    return this.#log.feed(options);
  }

  follow(wake: () => void, signal?: AbortSignal): Promise<() => void> {
    return this.#log.followFeed(wake, signal);
  }

  end(): Promise<FeedCursor> {
    return this.#log.feedEnd();
  }

  async standing(cursor: FeedCursor): Promise<FeedStanding> {
    const { standing } = await this.#log.feed({ after: cursor, limit: 1, maxBytes: 1 });
    return standing;
  }

  lag(cursor: FeedCursor, end: FeedCursor): number {
    return lagBetween(cursor, end);
  }

  reached(cursor: FeedCursor, end: FeedCursor): boolean {
    return hasReached(cursor, end);
  }
}
