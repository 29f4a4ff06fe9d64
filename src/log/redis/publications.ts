/**
 * The one subscriber connection: listens to the channels of followed logs, and to no others.
 *
 *   follow ──► SUBSCRIBE (many channels a command) ──acknowledged──► resolved
 *                  ▲                                   │
 *                  └── connection lost, open again ────┘ then every follower is woken:
 *                                                        it may have missed anything
 */
import type { Redis } from 'ioredis';
import type { LogName } from '../../event/log-name.ts';
import { Closed } from '../errors.ts';
import type { Follower } from '../log.ts';
import { decodePublication } from './entries.ts';
import { channelOf } from './keys.ts';

const CHANNELS_PER_COMMAND = 500;

/** A log that somebody follows. */
export interface FollowedLog {
  readonly log: LogName;
  readonly channel: string;
  /** Replaced, never changed: a follower may leave while the others are being told. */
  followers: readonly Follower[];
  /** Resolved, and replaced by nothing, when Redis has acknowledged that it listens. */
  acknowledged: boolean;
  readonly waiting: { resolve: () => void; reject: (error: Error) => void }[];
}

export class Publications {
  readonly #redis: Redis;
  readonly #database: number;
  readonly #logs = new Map<string, FollowedLog>();
  readonly #toSubscribe = new Set<FollowedLog>();
  readonly #toUnsubscribe = new Set<string>();
  readonly #pingInterval: number;
  readonly #pingTimer: NodeJS.Timeout;
  #flushScheduled = false;
  #closed = false;

  /** @param pingInterval how often, in milliseconds, the connection must show that it is alive */
  constructor(redis: Redis, database: number, pingInterval: number) {
    this.#redis = redis;
    this.#database = database;
    this.#pingInterval = pingInterval;
    redis.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      this.#deliver(channel.toString('latin1'), message);
    });
    redis.on('ready', () => this.#listenAgain());
    redis.on('close', () => this.#forgetAcknowledgements());
    this.#pingTimer = setInterval(() => this.#ping(), pingInterval);
    this.#pingTimer.unref();
  }

  /** All logs that are followed now. */
  followed(): IterableIterator<FollowedLog> {
    return this.#logs.values();
  }

  /** How many logs are followed now. */
  get size(): number {
    return this.#logs.size;
  }

  /** Resolves once Redis has acknowledged; waits for as long as Redis is away. */
  async follow(log: LogName, follower: Follower): Promise<() => void> {
    if (this.#closed) throw new Closed();
    const followed = this.#entry(log);
    followed.followers = [...followed.followers, follower];
    if (!followed.acknowledged) {
      await new Promise<void>((resolve, reject) => {
        followed.waiting.push({ resolve, reject });
      });
    }
    let isFollowing = true;
    return () => {
      if (isFollowing) this.#unfollow(followed, follower);
      isFollowing = false;
    };
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#pingTimer);
    for (const { waiting } of this.#logs.values()) {
      for (const { reject } of waiting.splice(0)) reject(new Closed());
    }
    this.#logs.clear();
    this.#redis.disconnect();
  }

  #entry(log: LogName): FollowedLog {
    const channel = channelOf(this.#database, log);
    let followed = this.#logs.get(channel);
    if (followed === undefined) {
      followed = { log, channel, followers: [], acknowledged: false, waiting: [] };
      this.#logs.set(channel, followed);
      this.#toSubscribe.add(followed);
      this.#scheduleFlush();
    }
    return followed;
  }

  #unfollow(followed: FollowedLog, follower: Follower): void {
    const index = followed.followers.indexOf(follower);
    followed.followers = followed.followers.toSpliced(index, 1);
    if (followed.followers.length > 0) return;
    this.#logs.delete(followed.channel);
    this.#toSubscribe.delete(followed);
    this.#toUnsubscribe.add(followed.channel);
    this.#scheduleFlush();
  }

  #deliver(channel: string, message: Buffer): void {
    const followed = this.#logs.get(channel);
    if (followed === undefined) return;
    const publication = decodePublication(message);
    for (const follower of followed.followers) {
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

  async #subscribe(followed: readonly FollowedLog[]): Promise<void> {
    try {
      await this.#redis.subscribe(...followed.map(({ channel }) => channel));
    } catch {
      // The connection was lost; all channels are asked for again when it is back.
      return;
    }
    for (const entry of followed) {
      entry.acknowledged = true;
      for (const { resolve } of entry.waiting.splice(0)) resolve();
      for (const follower of entry.followers) follower.wake();
    }
  }

  #listenAgain(): void {
    this.#toUnsubscribe.clear();
    for (const followed of this.#logs.values()) this.#toSubscribe.add(followed);
    this.#scheduleFlush();
  }

  #forgetAcknowledgements(): void {
    for (const followed of this.#logs.values()) followed.acknowledged = false;
  }

  #ping(): void {
    if (this.#redis.status !== 'ready') return;
    // A connection can be dead without anybody having said so.
    const deadline = setTimeout(() => this.#redis.disconnect(true), this.#pingInterval);
    deadline.unref();
    this.#redis
      .ping()
      .catch(() => {})
      .finally(() => clearTimeout(deadline));
  }
}
