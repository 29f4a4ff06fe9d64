/**
 * The event log in a folder of this machine, on LMDB; one process at a time. How it is laid out:
 * layout.ts. How it is written, and what that is worth: embedded-store.ts, group-commit.ts.
 */
import type { Appended } from '../../../event/appended.ts';
import {
  DEFAULT_EVENT_LIMITS,
  type EventLimits,
  encodeEvents,
  type NewEvent,
} from '../../../event/event.ts';
import type { EventId } from '../../../event/event-id.ts';
import { type LogName, parseLogName } from '../../../event/log-name.ts';
import { Closed } from '../../../event/store-errors.ts';
import type { Feed, FeedCursor, FeedOptions, FeedPage } from '../../../feed/feed.ts';
import { closeAfterDependents } from '../../../log/dependents.ts';
import { Followers } from '../../../log/followers.ts';
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
import { outcomeOf } from '../../../metrics/append-outcome.ts';
import { type MetricsOptions, type Observer, observer } from '../../../metrics/observer.ts';
import { EmbeddedStore, readFailure } from '../embedded-store.ts';
import { EmbeddedFeed } from '../feed/embedded-feed.ts';
import type { WriteBatch } from '../group-commit.ts';
import { COUNTERS_KEY, type Databases, openDatabases } from '../layout.ts';
import { ReadTurns } from '../read-turns.ts';
import { Append } from './append-work.ts';
import { EmbeddedKeptLogs } from './kept-logs.ts';
import { LogStage, type LogState } from './log-stage.ts';
import { ProducerSweep } from './producer-sweep.ts';

/** How long {@link EmbeddedLog.close} waits for the disk, in milliseconds. */
const CLOSE_PATIENCE = 5_000;

export interface EmbeddedLogOptions extends MetricsOptions {
  /** The time in milliseconds since 1970; IDs are made from it. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** How long an idle producer is remembered, in milliseconds. Default 7 days. */
  readonly producerIdle?: number | undefined;
  /** What an append may hold; what is left out keeps its default. Sizes in bytes. */
  readonly limits?: Partial<EventLimits> | undefined;
}

/** An {@link EventLog} in a folder. An append is acknowledged when it is on the disk. */
export class EmbeddedLog implements EventLog {
  /** @internal */
  readonly kept: EmbeddedKeptLogs;
  readonly #store: EmbeddedStore;
  readonly #databases: Databases;
  readonly #state: LogState;
  readonly #clock: () => number;
  readonly #limits: EventLimits;
  readonly #producerIdle: number;
  readonly #observer: Observer;
  readonly #followers = new Followers();
  readonly #feed: EmbeddedFeed;
  readonly #reads = new ReadTurns();
  readonly #leave: (patience: number) => Promise<void>;
  #closed = false;
  #closing: Promise<void> | undefined;

  private constructor(store: EmbeddedStore, options: EmbeddedLogOptions) {
    const { clock = Date.now } = options;
    this.#store = store;
    this.#leave = store.use();
    this.#clock = () => Math.floor(clock());
    this.#limits = { ...DEFAULT_EVENT_LIMITS, ...options.limits };
    this.#producerIdle = options.producerIdle ?? DEFAULT_PRODUCER_IDLE;
    this.#databases = openDatabases(store);
    this.#observer = observer(options);
    this.#observer.gauge('store_connected', 1);
    this.#state = {
      databases: this.#databases,
      sweep: new ProducerSweep(this.#databases.producers, this.#producerIdle),
      counters: this.#databases.counters.get(COUNTERS_KEY) ?? { lastLog: 0, lastFeed: 0 },
      onFeed: () => this.#feed.followers.wake(),
      observer: this.#observer,
    };
    this.#feed = new EmbeddedFeed(store, this.#databases, (read) => this.#read(read));
    this.kept = new EmbeddedKeptLogs({
      databases: this.#databases,
      commits: store.commits,
      read: (read) => this.#read(read),
      mustBeOpen: () => this.#mustBeOpen(),
      stage: (batch) => this.#stage(batch, this.#clock()),
    });
  }

  /**
   * Opens the log in `folder`, which is made if it is not there.
   * @throws StoreLocked (`store_locked`) when it is open already, here or in another process;
   *   StoreUnusable (`store_unusable`) when the folder cannot hold a store, or holds something else
   */
  static async open(folder: string, options: EmbeddedLogOptions = {}): Promise<EmbeddedLog> {
    return EmbeddedStore.openFor(folder, (store) => new EmbeddedLog(store, options));
  }

  /**
   * The log in a store that is open already, and shared with others; it closes with its last user.
   * @internal
   */
  static on(store: EmbeddedStore, options: EmbeddedLogOptions = {}): EmbeddedLog {
    return new EmbeddedLog(store, options);
  }

  async append(
    log: LogName,
    events: readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<Appended> {
    this.#mustBeOpen();
    // A key that LMDB refuses would spoil a whole batch, and types hold nobody back in JavaScript.
    parseLogName(log);
    const append = new Append(log, encodeEvents(events, this.#limits), checkAppendOptions(options));
    return new Promise((resolve, reject) => {
      this.#store.commits.submit({
        bytes: append.bytes,
        decide: (batch) => {
          const now = this.#clock();
          append.decide(batch, this.#stage(batch, now), this.#databases, now, this.#producerIdle);
        },
        settle: () => {
          this.#observer.count('appends', 1, outcomeOf(append.outcome!));
          resolve(append.outcome!);
          if (append.previous === undefined) return;
          this.#followers.tell(log, append.previous, () => append.storedEvents());
        },
        fail: (error) => {
          const failure = readFailure(error);
          this.#observer.count('appends', 1, outcomeOf(failure));
          reject(failure);
        },
        late: () => this.#followers.wakeAll(),
      });
    });
  }

  async read(log: LogName, options?: ReadOptions): Promise<Page> {
    this.#mustBeOpen();
    parseLogName(log);
    return readPage(this.kept, log, parseReadOptions(options));
  }

  async before(log: LogName, count: number): Promise<EventId> {
    this.#mustBeOpen();
    parseLogName(log);
    return this.kept.before(log, checkCount(count));
  }

  async follow(log: LogName, follower: Follower): Promise<() => void> {
    this.#mustBeOpen();
    parseLogName(log);
    return this.#followers.add(log, follower);
  }

  async trim(log: LogName, through: EventId): Promise<void> {
    this.#mustBeOpen();
    parseLogName(log);
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

  followFeed(wake: () => void): Promise<() => void> {
    return this.#feed.follow(wake);
  }

  feedEnd(): Promise<FeedCursor> {
    return this.#feed.end();
  }

  close(): Promise<void> {
    this.#closing ??= closeAfterDependents(this, () => this.#close());
    return this.#closing;
  }

  #close(): Promise<void> {
    this.#closed = true;
    this.kept.stop();
    this.#followers.wakeAll();
    this.#feed.followers.wake();
    return this.#leave(CLOSE_PATIENCE).finally(() => {
      this.#followers.clear();
      this.#feed.followers.clear();
    });
  }

  async describe(): Promise<StoreDescription> {
    return {
      store: `embedded, in ${this.#store.folder}`,
      durability:
        'every acknowledged event is on the disk (each commit is flushed before it is acknowledged)',
      warnings: [],
    };
  }

  /** All that `read` does sees the same moment: it does not wait anywhere. */
  #read<T>(read: () => T): Promise<T> {
    return this.#reads.run(() => {
      this.#mustBeOpen();
      try {
        return read();
      } catch (error) {
        throw readFailure(error);
      }
    });
  }

  #stage(batch: WriteBatch, now: number): LogStage {
    return batch.stage(this, () => new LogStage(this.#state, now));
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Closed();
  }
}
