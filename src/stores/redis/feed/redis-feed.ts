/** The feed on Redis: its pages, its wake-ups, and while somebody follows it the look for what others added. */
import type { Redis } from 'ioredis';
import type { FeedCursor, FeedPage } from '../../../feed/feed.ts';
import type { FeedRequest } from '../../../feed/options.ts';
import { longestBlock } from '../place/connection-options.ts';
import { type CallScript, FeedReader } from './reader.ts';
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

export class Feed {
  readonly #reader: FeedReader;
  readonly #watch: FeedWatch;
  readonly #scan: FeedScan;

  /** @param watching a connection of its own, not yet open, that opens again by itself */
  constructor(redis: Redis, watching: Redis, call: CallScript, settings: FeedSettings) {
    const { scanInterval, pingInterval, onRefusal } = settings;
    this.#reader = new FeedReader(call);
    this.#watch = new FeedWatch(watching, {
      block: longestBlock({ pingInterval }),
      retryInterval: pingInterval,
      onRefusal,
    });
    this.#scan = new FeedScan(redis, scanInterval);
  }

  page(request: FeedRequest): Promise<FeedPage> {
    return this.#reader.page(request);
  }

  end(): Promise<FeedCursor> {
    return this.#reader.end();
  }

  async follow(wake: () => void, signal: AbortSignal | undefined): Promise<() => void> {
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
}
