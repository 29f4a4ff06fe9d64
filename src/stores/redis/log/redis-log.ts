/**
 * The log on Redis Streams, 7.0 and later. Two connections: one for commands, one that listens.
 *
 * In here: which script answers which call, and what is done when a connection is lost and back.
 * Elsewhere: keys (`keys.ts`), the scripts (`*.lua`), appends under way (`append-queue.ts`),
 * publications (`publications.ts`), foreign writers (`sweep.ts`), durability (`durability.ts`).
 */
import type { Redis } from 'ioredis';
import type { Appended } from '../../../event/appended.ts';
import {
  DEFAULT_EVENT_LIMITS,
  type EventLimits,
  encodeEvents,
  type NewEvent,
} from '../../../event/event.ts';
import type { EventId } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import { Closed, Unavailable, WrongType } from '../../../event/store-errors.ts';
import type { Feed, FeedCursor, FeedOptions, FeedPage } from '../../../feed/feed.ts';
import { closeAfterDependents } from '../../../log/dependents.ts';
import type { KeptLogs } from '../../../log/kept-logs.ts';
import type { AppendOptions, EventLog, Follower, Page, ReadOptions } from '../../../log/log.ts';
import {
  checkAppendOptions,
  checkEventId,
  DEFAULT_PRODUCER_IDLE,
  parseReadOptions,
} from '../../../log/options.ts';
import { readPage } from '../../../log/read-page.ts';
import type { StoreDescription } from '../../../log/store-description.ts';
import {
  type MetricsOptions,
  type NoticeOptions,
  type Observer,
  observer,
} from '../../../metrics/observer.ts';
import { RedisFeed } from '../feed/redis-feed.ts';
import { FEED_SCRIPT } from '../feed/scripts.ts';
import { keptUnder } from '../keys.ts';
import { findOccupied } from '../occupied.ts';
import {
  createConnection,
  failureOf,
  isWrongType,
  reasonOf,
  reconnectDelay,
} from '../place/connection.ts';
import { type ConnectionOptions, patienceOf } from '../place/connection-options.ts';
import { ConnectionReport, REDIS } from '../place/connection-report.ts';
import { describeDurability } from '../place/durability.ts';
import { openConnection, whyUnusable } from '../place/opening.ts';
import { keepOnSameServer } from '../place/same-server.ts';
import { callScript, type Script, sendScripts } from '../place/scripts.ts';
import { AppendQueue } from './append-queue.ts';
import { RedisKeptLogs } from './kept-logs.ts';
import { logNeeds } from './log-needs.ts';
import { Publications } from './publications.ts';
import { APPEND_SCRIPT, READ_SCRIPT } from './scripts.ts';
import { Sweep } from './sweep.ts';

/** Settings of a {@link RedisLog}; all times in milliseconds, all sizes in bytes. */
export interface RedisLogOptions extends ConnectionOptions, NoticeOptions, MetricsOptions {
  /** How often every followed log is looked at for events that others added, and for loss; 0: never. Default 1,000. */
  readonly sweepInterval?: number | undefined;
  /**
   * While somebody follows the feed: how long it takes to go once through all keys, to find events
   * that others added to logs which nobody follows and nobody appends to; 0: never. Default 30,000.
   */
  readonly feedScan?: number | undefined;
  /** How long an append may wait while Redis is away before it fails with `unavailable`. Default 5,000. */
  readonly appendWait?: number | undefined;
  /** How long Redis may take to answer an append before that fails with `outcome_unknown`. Default 5,000. */
  readonly replyTimeout?: number | undefined;
  /** How long a producer that does not append is remembered. Default 7 days. */
  readonly producerIdle?: number | undefined;
  /** How many appends may be under way at once; more fail with `unavailable`. Default 50,000. */
  readonly maxPendingAppends?: number | undefined;
  /** How many bytes of events may be under way at once. Default 67,108,864. */
  readonly maxPendingBytes?: number | undefined;
  /** What an append may hold; what is left out keeps its default. */
  readonly limits?: Partial<EventLimits> | undefined;
}

/** How long {@link RedisLog.close} waits for appends under way, in milliseconds. */
const CLOSE_PATIENCE = 3_000;

/** Those that many callers want at once when Redis has forgotten them: sent ahead, and once. */
const SCRIPTS = [APPEND_SCRIPT, READ_SCRIPT, FEED_SCRIPT];

/** {@link EventLog} on Redis Streams. */
export class RedisLog implements EventLog {
  /** @internal */
  readonly kept: KeptLogs;
  readonly #redis: Redis;
  readonly #appends: AppendQueue;
  readonly #publications: Publications;
  readonly #sweep: Sweep;
  readonly #feed: RedisFeed;
  readonly #limits: EventLimits;
  readonly #report: ConnectionReport;
  /** After how many milliseconds to try again what Redis has refused. */
  readonly #retryInterval: number;
  #retryTimer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  private constructor(
    redis: Redis,
    listening: Redis,
    watching: Redis,
    options: RedisLogOptions,
    told: Observer,
  ) {
    this.#redis = redis;
    this.#limits = { ...DEFAULT_EVENT_LIMITS, ...options.limits };
    this.#appends = new AppendQueue(
      redis,
      {
        appendWait: options.appendWait ?? 5_000,
        replyTimeout: options.replyTimeout ?? 5_000,
        producerIdle: options.producerIdle ?? DEFAULT_PRODUCER_IDLE,
        maxAppends: options.maxPendingAppends ?? 50_000,
        maxBytes: options.maxPendingBytes ?? 67_108_864,
      },
      () => void this.#prepare(),
      told,
    );
    const report = new ConnectionReport(told);
    this.#report = report;
    this.#retryInterval = patienceOf(options).pingInterval;
    this.#publications = new Publications(listening, {
      database: redis.options.db ?? 0,
      retryInterval: this.#retryInterval,
      onRefusal(reason) {
        if (reason === undefined) report.fine('publications');
        else report.trouble('publications', 'refused', reason);
      },
    });
    this.#sweep = new Sweep(redis, this.#publications, options.sweepInterval ?? 1_000);
    this.kept = new RedisKeptLogs((...call) => this.#call(...call));
    this.#feed = new RedisFeed(redis, watching, (...call) => this.#call(...call), {
      scanInterval: options.feedScan ?? 30_000,
      pingInterval: this.#retryInterval,
      onRefusal(reason) {
        if (reason === undefined) report.fine('feed');
        else report.trouble('feed', 'refused', reason);
      },
    });
    keepOnSameServer(redis, listening);
    keepOnSameServer(redis, watching);
    this.#watch();
  }

  /**
   * Connects to Redis.
   * @param url `redis://` or `rediss://` (TLS), with user, password and database number if needed
   * @throws Unavailable when it cannot be reached; MillraceError `unsupported_store` when it is
   *   older than 7.0 or does not let this user do what is needed
   */
  static async open(url: string, options: RedisLogOptions = {}): Promise<RedisLog> {
    const patience = patienceOf(options);
    const told = observer(options);
    const redis = createConnection(url, 'commands', patience);
    const listening = createConnection(url, 'publications', patience);
    try {
      const needs = logNeeds(redis.options.db ?? 0);
      await openConnection(redis, needs, options.loadingWait, (progress) =>
        told.notice({ what: 'connection', by: REDIS, state: 'loading', reason: progress }),
      );
      await openConnection(listening);
      await Publications.check(listening, redis.options.db ?? 0);
      await sendScripts(redis, SCRIPTS).catch((error) => {
        throw whyUnusable(error);
      });
    } catch (error) {
      for (const connection of [redis, listening]) {
        if (connection.status !== 'end') connection.disconnect();
      }
      throw error;
    }
    const watching = createConnection(url, 'feed', patience);
    watching.options.retryStrategy = reconnectDelay;
    const log = new RedisLog(redis, listening, watching, options, told);
    if (redis.status === 'ready') log.#appends.open();
    return log;
  }

  async append(
    log: LogName,
    events: readonly NewEvent[],
    options: AppendOptions = {},
  ): Promise<Appended> {
    const encoded = encodeEvents(events, this.#limits);
    return this.#appends.append(log, encoded, checkAppendOptions(options));
  }

  async read(log: LogName, options: ReadOptions = {}): Promise<Page> {
    return readPage(this.kept, log, parseReadOptions(options));
  }

  follow(log: LogName, follower: Follower, signal?: AbortSignal): Promise<() => void> {
    return this.#publications.follow(log, follower, signal);
  }

  async trim(log: LogName, through: EventId): Promise<void> {
    checkEventId(through, 'through');
    await this.kept.trim(log, through);
  }

  /** The feed of this store by itself; the next three are the same by way of the log. */
  asFeed(): Feed {
    return this.#feed;
  }

  feed(options?: FeedOptions): Promise<FeedPage> {
    return this.#feed.page(options);
  }

  followFeed(wake: () => void, signal?: AbortSignal): Promise<() => void> {
    return this.#feed.follow(wake, signal);
  }

  feedEnd(): Promise<FeedCursor> {
    return this.#feed.end();
  }

  close(): Promise<void> {
    this.#closing ??= closeAfterDependents(this, () => this.#close());
    return this.#closing;
  }

  describe(): Promise<StoreDescription> {
    return describeDurability(this.#redis);
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#wakeAll();
    this.#sweep.close();
    this.#feed.close();
    clearTimeout(this.#retryTimer);
    await this.#appends.close(CLOSE_PATIENCE);
    this.#publications.close();
    this.#redis.disconnect();
  }

  /** Calls a script that may be called again; the answer comes as raw bytes. */
  async #call(
    script: Script,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    if (this.#isClosed) throw new Closed();
    try {
      return await callScript(this.#redis, script, keys, values, 'bytes');
    } catch (error) {
      throw await this.#translate(error, keys);
    }
  }

  async #translate(error: unknown, keys: readonly string[]): Promise<Error> {
    if (this.#isClosed) return new Closed();
    if (!isWrongType(error)) return new Unavailable(reasonOf(error));
    return (await findOccupied(this.#redis, keys, keptUnder)) ?? new WrongType(keys[0]!);
  }

  /** Keeps appends back while Redis is away; when it is back, whatever is followed is looked at again. */
  #watch(): void {
    let reason: string | undefined;
    this.#redis.on('error', (error: Error) => {
      reason = reasonOf(error);
      // Of logging in, say: the password may have been changed.
      if (failureOf(error) === 'refused') this.#report.trouble('commands', 'refused', reason);
    });
    this.#redis.on('close', () => {
      this.#appends.pause();
      if (!this.#isClosed) this.#report.trouble('commands', 'lost', reason);
      reason = undefined;
    });
    this.#redis.on('ready', () => {
      void this.#prepare().then(() => this.#wakeAll());
    });
  }

  /** The server knows the scripts: appends may go out. */
  async #prepare(): Promise<void> {
    if (this.#redis.status !== 'ready') return;
    try {
      await sendScripts(this.#redis, SCRIPTS);
    } catch (error) {
      // When it was lost again, this runs again once it is back.
      if (failureOf(error) !== 'refused') return;
      this.#report.trouble('commands', 'refused', reasonOf(error));
      clearTimeout(this.#retryTimer);
      this.#retryTimer = setTimeout(() => void this.#prepare(), this.#retryInterval);
      this.#retryTimer.unref();
      return;
    }
    this.#appends.open();
    this.#report.fine('commands');
  }

  #wakeAll(): void {
    for (const { followings } of this.#publications.followed()) {
      for (const { follower } of followings) follower.wake();
    }
  }
}
