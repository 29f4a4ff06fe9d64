/**
 * Finds events that others added to logs which nobody follows and nobody appends to: goes through
 * all keys, slowly, a step at a time, for as long as somebody in this process follows the feed.
 */
import type { Redis } from 'ioredis';
import { isLogKey, LOG_KEY_PATTERN } from '../keys.ts';
import { indexLogs } from './index-logs.ts';

/** How many keys Redis looks at in one step: a fraction of a millisecond. */
const KEYS_PER_STEP = 200;

/** Milliseconds between two steps at the least. With very many keys a round takes longer than asked for. */
const SHORTEST_PAUSE = 5;

export class FeedScan {
  readonly #redis: Redis;
  readonly #interval: number;
  #cursor = '0';
  #pause = 0;
  #timer: NodeJS.Timeout | undefined;
  #running = false;

  /** @param interval how long a round takes, in milliseconds; 0: never */
  constructor(redis: Redis, interval: number) {
    this.#redis = redis;
    this.#interval = interval;
  }

  start(): void {
    if (this.#running || this.#interval === 0) return;
    this.#running = true;
    this.#cursor = '0';
    this.#schedule(0);
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  #schedule(pause: number): void {
    if (!this.#running) return;
    this.#timer = setTimeout(() => {
      void this.#step().then((next) => {
        clearTimeout(this.#timer);
        this.#schedule(next);
      });
    }, pause);
    this.#timer.unref();
  }

  /** @returns after how many milliseconds to take the next one */
  async #step(): Promise<number> {
    if (this.#redis.status !== 'ready') return this.#interval;
    try {
      if (this.#cursor === '0') {
        const steps = Math.ceil((await this.#redis.dbsize()) / KEYS_PER_STEP);
        this.#pause = Math.max(SHORTEST_PAUSE, this.#interval / Math.max(1, steps));
      }
      const options = ['MATCH', LOG_KEY_PATTERN, 'COUNT', KEYS_PER_STEP, 'TYPE', 'stream'] as const;
      const [cursor, keys] = (await this.#redis.call('SCAN', this.#cursor, ...options)) as [
        string,
        string[],
      ];
      await indexLogs(this.#redis, keys.filter(isLogKey));
      this.#cursor = cursor;
      return this.#pause;
    } catch {
      // Redis is away, or refuses: the same step again, but not at once.
      return this.#interval;
    }
  }
}
