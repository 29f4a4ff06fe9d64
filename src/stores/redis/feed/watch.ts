/**
 * Wakes those who follow the feed: one connection that waits in `XREAD BLOCK`, opened with the
 * first of them and closed with the last.
 *
 *   ready ─► where does the feed end? ─► wake all, once ─► wait for more ─┬─► wake ─► pause ─┐
 *              ▲                                            ▲             │                  │
 *              └── connection lost, open again              └─────────────┴── after a while ◄┘
 *
 * Why not a publication: that would be one more command in every append, whether or not anybody
 * follows the feed, and could be lost. Waiting costs appends nothing.
 */
import type { Redis } from 'ioredis';
import { Closed } from '../../../event/store-errors.ts';
import { FEED_KEY } from '../keys.ts';
import { failureOf, reasonOf } from '../place/connection.ts';
import { type Waiter, waitToBeHeard } from '../place/waiting.ts';

/** Milliseconds from one wake-up to the next at the least: a busy feed grows all the time. */
const SHORTEST_PAUSE = 2;

export interface FeedWatchOptions {
  /**
   * For how many milliseconds to wait in one command. Shorter than a silent connection is taken
   * for alive; and after so long a feed that was removed is seen to have gone.
   */
  readonly block: number;
  /** After how many milliseconds to try again what Redis has refused. */
  readonly retryInterval: number;
  /** Told why Redis refuses; and when it does not any more, without a reason. */
  readonly onRefusal: (reason: string | undefined) => void;
}

interface Following extends Waiter {
  readonly wake: () => void;
}

export class FeedWatch {
  readonly #redis: Redis;
  readonly #options: FeedWatchOptions;
  readonly #followings = new Set<Following>();
  /** Whether whoever follows from now on will be woken. */
  #watching = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param redis a connection of its own, not yet open, that opens again by itself */
  constructor(redis: Redis, options: FeedWatchOptions) {
    this.#redis = redis;
    this.#options = options;
    redis.on('ready', () => {
      if (this.#followings.size > 0) void this.#watch();
      else this.#leave();
    });
    redis.on('close', () => {
      this.#watching = false;
    });
    // Somebody followed while the connection was being closed.
    redis.on('end', () => this.#connect());
  }

  /** How many follow. */
  get size(): number {
    return this.#followings.size;
  }

  /** Resolves once Redis was heard; waits for as long as Redis is away, or until `signal`. */
  async follow(wake: () => void, signal?: AbortSignal): Promise<() => void> {
    if (this.#closed) throw new Closed();
    signal?.throwIfAborted();
    const following: Following = { wake, waiting: undefined };
    this.#followings.add(following);
    this.#connect();
    if (!this.#watching) {
      await waitToBeHeard(following, () => this.#unfollow(following), signal);
    }
    return () => this.#unfollow(following);
  }

  close(): void {
    this.#closed = true;
    for (const { waiting } of this.#followings) waiting?.reject(new Closed());
    this.#wake();
    this.#followings.clear();
    this.#leave();
  }

  #connect(): void {
    const { status } = this.#redis;
    if (this.#followings.size === 0 || (status !== 'wait' && status !== 'end')) return;
    // What comes of it is told by events.
    this.#redis.connect().catch(() => {});
  }

  #unfollow(following: Following): void {
    if (this.#followings.delete(following) && this.#followings.size === 0) this.#leave();
  }

  #leave(): void {
    clearTimeout(this.#timer);
    this.#watching = false;
    // Told to end while it waits to connect again, it would never say that it has: once it is open.
    if (this.#closed || this.#redis.status !== 'reconnecting') this.#redis.disconnect();
  }

  /** Until the connection is lost. */
  async #watch(): Promise<void> {
    const { stream } = this.#redis;
    try {
      let known = await this.#lastEntry();
      this.#watching = true;
      this.#options.onRefusal(undefined);
      for (const { waiting } of this.#followings) waiting?.resolve();
      this.#wake();
      while (this.#redis.stream === stream && this.#followings.size > 0) {
        const { block } = this.#options;
        await this.#redis.xread('COUNT', 1, 'BLOCK', block, 'STREAMS', FEED_KEY, known);
        const last = await this.#lastEntry();
        if (last === known) continue;
        known = last;
        this.#wake();
        await new Promise((resolve) => setTimeout(resolve, SHORTEST_PAUSE));
      }
    } catch (error) {
      // When the connection was lost, all this begins again once it is back.
      if (failureOf(error) === 'refused') this.#watchLater(reasonOf(error));
    }
  }

  async #lastEntry(): Promise<string> {
    const [last] = await this.#redis.xrevrange(FEED_KEY, '+', '-', 'COUNT', 1);
    return last?.[0] ?? '0-0';
  }

  #watchLater(reason: string): void {
    this.#options.onRefusal(reason);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#redis.status === 'ready' && this.#followings.size > 0) void this.#watch();
    }, this.#options.retryInterval);
    this.#timer.unref();
  }

  #wake(): void {
    // A copy: who is woken may follow or leave.
    for (const following of [...this.#followings]) {
      if (this.#followings.has(following)) following.wake();
    }
  }
}
