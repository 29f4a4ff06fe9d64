/**
 * The log on Redis Streams, 7.0 and later. Of its place it uses the commands, what listens, and while
 * somebody follows the feed what waits for that.
 *
 * In here: which script answers which call.
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
  checkCount,
  checkEventId,
  DEFAULT_PRODUCER_IDLE,
  parseReadOptions,
} from '../../../log/options.ts';
import { readPage } from '../../../log/read-page.ts';
import type { StoreDescription } from '../../../log/store-description.ts';
import { type MetricsOptions, type NoticeOptions, observer } from '../../../metrics/observer.ts';
import { RedisFeed } from '../feed/redis-feed.ts';
import { ENTRIES_SCRIPT, EVENTS_SCRIPT } from '../feed/scripts.ts';
import { keptUnder } from '../keys.ts';
import { findOccupied } from '../occupied.ts';
import { isWrongType, reasonOf } from '../place/connection.ts';
import type { ConnectionOptions } from '../place/connection-options.ts';
import { describeDurability } from '../place/durability.ts';
import { whyUnusable } from '../place/opening.ts';
import { Readiness } from '../place/readiness.ts';
import { RedisPlace } from '../place/redis-place.ts';
import { callScript, type Script, sendScripts } from '../place/scripts.ts';
import { AppendQueue } from './append-queue.ts';
import { RedisKeptLogs } from './kept-logs.ts';
import { logNeeds } from './log-needs.ts';
import { Publications } from './publications.ts';
import { APPEND_SCRIPT, BEFORE_SCRIPT, READ_SCRIPT } from './scripts.ts';
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
const SCRIPTS = [APPEND_SCRIPT, READ_SCRIPT, BEFORE_SCRIPT, ENTRIES_SCRIPT, EVENTS_SCRIPT];

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
  readonly #readiness: Readiness;
  readonly #leave: () => void;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  private constructor(place: RedisPlace, listening: Redis, options: RedisLogOptions) {
    const { commands, report } = place;
    const { pingInterval } = place.patience;
    const refusals = (source: 'publications' | 'feed') => (reason: string | undefined) => {
      if (reason === undefined) report.fine(source);
      else report.trouble(source, 'refused', reason);
    };
    this.#redis = commands;
    this.#limits = { ...DEFAULT_EVENT_LIMITS, ...options.limits };
    this.#appends = new AppendQueue(
      commands,
      {
        appendWait: options.appendWait ?? 5_000,
        replyTimeout: options.replyTimeout ?? 5_000,
        producerIdle: options.producerIdle ?? DEFAULT_PRODUCER_IDLE,
        maxAppends: options.maxPendingAppends ?? 50_000,
        maxBytes: options.maxPendingBytes ?? 67_108_864,
      },
      () => void this.#readiness.prepare(),
      place.observer,
    );
    this.#publications = new Publications(listening, {
      database: place.database,
      retryInterval: pingInterval,
      onRefusal: refusals('publications'),
    });
    this.#sweep = new Sweep(commands, this.#publications, options.sweepInterval ?? 1_000);
    this.kept = new RedisKeptLogs((...call) => this.#call(...call));
    const watching = place.waitLater('feed');
    this.#feed = new RedisFeed(commands, watching, (...call) => this.#call(...call), {
      scanInterval: options.feedScan ?? 30_000,
      pingInterval,
      onRefusal: refusals('feed'),
    });
    // Appends are kept back while Redis is away; when it is back, what is followed is looked at again.
    this.#readiness = new Readiness(place, {
      scripts: SCRIPTS,
      pause: () => this.#appends.pause(),
      resume: () => this.#appends.open(),
      back: () => this.#wakeAll(),
    });
    this.#leave = place.use();
    if (commands.status === 'ready') this.#appends.open();
  }

  /**
   * Connects to Redis.
   * @param url `redis://` or `rediss://` (TLS), with user, password and database number if needed
   * @throws Unavailable when it cannot be reached; MillraceError `unsupported_store` when it is
   *   older than 7.0 or does not let this user do what is needed
   */
  static async open(url: string, options: RedisLogOptions = {}): Promise<RedisLog> {
    return RedisPlace.openFor(url, { ...options, observer: observer(options) }, logNeeds, (place) =>
      RedisLog.on(place, options),
    );
  }

  /**
   * The log of a place that is open, whose user may do what {@link logNeeds} says. What a place is
   * opened with (times of connections, who is told of them) counts here too.
   * @internal
   */
  static async on(place: RedisPlace, options: RedisLogOptions = {}): Promise<RedisLog> {
    const listening = await place.listen();
    await Publications.check(listening, place.database);
    await sendScripts(place.commands, SCRIPTS).catch((error) => {
      throw whyUnusable(error);
    });
    return new RedisLog(place, listening, options);
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

  async before(log: LogName, count: number): Promise<EventId> {
    return this.kept.before(log, checkCount(count));
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
    this.#readiness.close();
    await this.#appends.close(CLOSE_PATIENCE);
    this.#publications.close();
    this.#leave();
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

  #wakeAll(): void {
    for (const { followings } of this.#publications.followed()) {
      for (const { follower } of followings) follower.wake();
    }
  }
}
