/** The feed on Redis: its pages, its wake-ups, and while somebody follows it the look for what others added. */
import type { Redis } from 'ioredis';
import type { FeedPlace } from '../../../feed/cursor.ts';
import type { FeedPage } from '../../../feed/feed.ts';
import type { FeedRequest } from '../../../feed/options.ts';
import type { FeedFacts } from '../../../feed/standing.ts';
import { StoredFeed } from '../../../feed/stored-feed.ts';
import { longestBlock } from '../place/connection-options.ts';
import type { CallScript } from '../place/scripts.ts';
import { FeedReader } from './reader.ts';
import { FeedScan } from './scan.ts';
import { FeedWatch } from './watch.ts';

export interface FeedSettings {
  /** How long a round of the scan takes, in milliseconds; 0: never. */
  readonly scanInterval: number;
  /** How often a connection must be heard of, in milliseconds. */
  readonly pingInterval: number;
  /** Told why Redis refuses to let us watch; and when it does not any more, without a reason. */
  readonly onRefusal: (reason: string | undefined) => void;
}

export class RedisFeed extends StoredFeed {
  readonly #reader: FeedReader;
  readonly #watch: FeedWatch;
  readonly #scan: FeedScan;

  /** @param watching a connection of its own, not yet open, that opens again by itself */
  constructor(redis: Redis, watching: Redis, call: CallScript, settings: FeedSettings) {
    super();
    const { scanInterval, pingInterval, onRefusal } = settings;
    this.#reader = new FeedReader(call);
    this.#watch = new FeedWatch(watching, {
      block: longestBlock({ pingInterval }),
      retryInterval: pingInterval,
      onRefusal,
    });
    this.#scan = new FeedScan(redis, scanInterval);
  }

  async follow(wake: () => void, signal?: AbortSignal): Promise<() => void> {
    const unfollow = await this.#watch.follow(wake, signal);
    if (this.#watch.size > 0) this.#scan.start();
    return () => {
      unfollow();
      if (this.#watch.size === 0) this.#scan.stop();
    };
  }

  close(): void {
    this.#scan.stop();
    this.#watch.close();
  }

  protected read(request: FeedRequest): Promise<FeedPage> {
    return this.#reader.page(request);
  }

  protected facts(place: FeedPlace): Promise<FeedFacts> {
    return this.#reader.facts(place);
  }
}
