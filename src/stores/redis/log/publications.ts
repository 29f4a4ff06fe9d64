/**
 * The one subscriber connection: listens to the channels of followed logs, and to no others.
 *
 *   follow ──► SUBSCRIBE (many channels a command) ──acknowledged──► resolved
 *                  ▲                                   │
 *                  └── connection lost, open again ────┘ then every follower is woken:
 *                                                        it may have missed anything
 */
import type { Redis } from 'ioredis';
import type { LogName } from '../../../event/log-name.ts';
import { Closed } from '../../../event/store-errors.ts';
import type { Follower } from '../../../log/log.ts';
import { channelOf, channelPrefix, logKey } from '../keys.ts';
import { failureOf, reasonOf } from '../place/connection.ts';
import { whyUnusable } from '../place/opening.ts';
import { type Waiter, waitToBeHeard } from '../place/waiting.ts';
import { decodePublication } from './entries.ts';

const CHANNELS_PER_COMMAND = 500;

/** One call of `follow`; the same follower may follow twice. */
export interface Following extends Waiter {
  readonly follower: Follower;
}

/** A log that somebody follows. */
export interface ListenedLog {
  /** The stream's key. */
  readonly key: string;
  readonly channel: string;
  readonly followings: Set<Following>;
  /** What Redis knows of it on the connection that there is now. */
  state: 'unasked' | 'asked' | 'acknowledged';
  /** For the sweep: how often it has only glanced at the log, and whether its last event is large. */
  readonly closerLook: { glances: number; heavy: boolean };
}

export interface PublicationsOptions {
  readonly database: number;
  /** After how many milliseconds to ask again for what Redis has refused to let us hear. */
  readonly retryInterval: number;
  /** Told why Redis refuses; and when it does not any more, without a reason. */
  readonly onRefusal: (reason: string | undefined) => void;
}

export class Publications {
  readonly #redis: Redis;
  readonly #options: PublicationsOptions;
  readonly #logs = new Map<string, ListenedLog>();
  readonly #toSubscribe = new Set<ListenedLog>();
  readonly #toUnsubscribe = new Set<string>();
  #flushScheduled = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(redis: Redis, options: PublicationsOptions) {
    this.#redis = redis;
    this.#options = options;
    redis.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      this.#deliver(channel.toString('latin1'), message);
    });
    redis.on('ready', () => this.#listenAgain());
    redis.on('close', () => this.#forgetAcknowledgements());
  }

  /**
   * Tries whether Redis lets us listen.
   * @throws MillraceError `unsupported_store` when it does not, Unavailable
   */
  static async check(redis: Redis, database: number): Promise<void> {
    const channel = `${channelPrefix(database)}probe`;
    try {
      await redis.subscribe(channel);
      await redis.unsubscribe(channel);
    } catch (error) {
      throw whyUnusable(error);
    }
  }

  /** All logs that are followed now. */
  followed(): IterableIterator<ListenedLog> {
    return this.#logs.values();
  }

  /** How many logs are followed now. */
  get size(): number {
    return this.#logs.size;
  }

  /** Resolves once Redis has acknowledged; waits for as long as Redis is away, or until `signal`. */
  async follow(log: LogName, follower: Follower, signal?: AbortSignal): Promise<() => void> {
    if (this.#closed) throw new Closed();
    signal?.throwIfAborted();
    const followed = this.#entry(log);
    const following: Following = { follower, waiting: undefined };
    followed.followings.add(following);
    if (followed.state !== 'acknowledged') {
      await waitToBeHeard(following, () => this.#unfollow(followed, following), signal);
    }
    return () => this.#unfollow(followed, following);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    for (const { followings } of this.#logs.values()) {
      for (const { waiting } of followings) waiting?.reject(new Closed());
    }
    this.#logs.clear();
    this.#redis.disconnect();
  }

  #entry(log: LogName): ListenedLog {
    const channel = channelOf(this.#options.database, log);
    let followed = this.#logs.get(channel);
    if (followed === undefined) {
      const closerLook = { glances: 0, heavy: false };
      followed = { key: logKey(log), channel, followings: new Set(), state: 'unasked', closerLook };
      this.#logs.set(channel, followed);
      this.#toSubscribe.add(followed);
      this.#scheduleFlush();
    }
    return followed;
  }

  #unfollow(followed: ListenedLog, following: Following): void {
    if (!followed.followings.delete(following) || followed.followings.size > 0) return;
    this.#logs.delete(followed.channel);
    this.#toSubscribe.delete(followed);
    if (followed.state === 'unasked') return;
    this.#toUnsubscribe.add(followed.channel);
    this.#scheduleFlush();
  }

  #deliver(channel: string, message: Buffer): void {
    const followed = this.#logs.get(channel);
    if (followed === undefined) return;
    const publication = decodePublication(message);
    for (const { follower } of followed.followings) {
      if (publication === undefined) follower.wake();
      else follower.events(publication.previous, publication.events);
    }
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#redis.status !== 'ready') return;
    // Unsubscribing first: a log that was left and is followed again must end up followed.
    const left = [...this.#toUnsubscribe];
    this.#toUnsubscribe.clear();
    for (let start = 0; start < left.length; start += CHANNELS_PER_COMMAND) {
      this.#redis.unsubscribe(...left.slice(start, start + CHANNELS_PER_COMMAND)).catch(() => {});
    }
    const followed = [...this.#toSubscribe];
    this.#toSubscribe.clear();
    for (let start = 0; start < followed.length; start += CHANNELS_PER_COMMAND) {
      void this.#subscribe(followed.slice(start, start + CHANNELS_PER_COMMAND));
    }
  }

  async #subscribe(followed: readonly ListenedLog[]): Promise<void> {
    for (const entry of followed) entry.state = 'asked';
    try {
      await this.#redis.subscribe(...followed.map(({ channel }) => channel));
    } catch (error) {
      // When the connection was lost, all channels are asked for again once it is back.
      if (failureOf(error) === 'refused') this.#askLater(followed, reasonOf(error));
      return;
    }
    if (this.#retryTimer === undefined) this.#options.onRefusal(undefined);
    for (const entry of followed) {
      entry.state = 'acknowledged';
      for (const { follower, waiting } of entry.followings) {
        waiting?.resolve();
        follower.wake();
      }
    }
  }

  #askLater(refused: readonly ListenedLog[], reason: string): void {
    for (const entry of refused) entry.state = 'unasked';
    this.#options.onRefusal(reason);
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.#listenAgain();
    }, this.#options.retryInterval);
    this.#retryTimer.unref();
  }

  #listenAgain(): void {
    for (const followed of this.#logs.values()) {
      if (followed.state === 'unasked') this.#toSubscribe.add(followed);
    }
    this.#scheduleFlush();
  }

  #forgetAcknowledgements(): void {
    this.#toUnsubscribe.clear();
    for (const followed of this.#logs.values()) followed.state = 'unasked';
  }
}
