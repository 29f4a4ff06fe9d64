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
  type StoredEvent,
} from '../../../event/event.ts';
import {
  compareEventIds,
  type EventId,
  isAfter,
  laterOf,
  MAX_ID,
  ZERO_ID,
} from '../../../event/event-id.ts';
import { type LogName, parseLogName } from '../../../event/log-name.ts';
import { type Standing, standingOf, WHOLE } from '../../../event/standing.ts';
import { Closed } from '../../../event/store-errors.ts';
import type { FeedCursor, FeedOptions, FeedPage } from '../../../feed/feed.ts';
import { FeedFollowers } from '../../../feed/followers.ts';
import { parseFeedOptions } from '../../../feed/options.ts';
import { closeAfterDependents } from '../../../log/dependents.ts';
import { Followers } from '../../../log/followers.ts';
import type { AppendOptions, EventLog, Follower, Page, ReadOptions } from '../../../log/log.ts';
import {
  checkAppendOptions,
  checkEventId,
  DEFAULT_PRODUCER_IDLE,
  parseReadOptions,
  type ReadRequest,
} from '../../../log/options.ts';
import { pageStart, takePage } from '../../../log/page.ts';
import type { StoreDescription } from '../../../log/store-description.ts';
import { EmbeddedStore, readFailure } from '../embedded-store.ts';
import { FeedReader } from '../feed/reader.ts';
import type { Batch } from '../group-commit.ts';
import {
  COUNTERS_KEY,
  type Databases,
  type EventKey,
  type LogHead,
  openDatabases,
} from '../layout.ts';
import type { KeyRange } from '../ordered-map.ts';
import { ReadTurns } from '../read-turns.ts';
import { Append } from './append-work.ts';
import { eventFrom } from './entry.ts';
import { LogStage, type LogState, NO_LOG } from './log-stage.ts';
import { ProducerSweep } from './producer-sweep.ts';
import { Trimmer } from './trimmer.ts';

/** How long {@link EmbeddedLog.close} waits for the disk, in milliseconds. */
const CLOSE_PATIENCE = 5_000;

export interface EmbeddedLogOptions {
  /** The time in milliseconds since 1970; IDs are made from it. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** How long an idle producer is remembered, in milliseconds. Default 7 days. */
  readonly producerIdle?: number | undefined;
  /** What an append may hold; what is left out keeps its default. Sizes in bytes. */
  readonly limits?: Partial<EventLimits> | undefined;
}

/** An {@link EventLog} in a folder. An append is acknowledged when it is on the disk. */
export class EmbeddedLog implements EventLog {
  readonly #store: EmbeddedStore;
  readonly #databases: Databases;
  readonly #state: LogState;
  readonly #clock: () => number;
  readonly #limits: EventLimits;
  readonly #producerIdle: number;
  readonly #followers = new Followers();
  readonly #feedFollowers = new FeedFollowers();
  readonly #feed: FeedReader;
  readonly #trimmer: Trimmer;
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
    this.#state = {
      databases: this.#databases,
      sweep: new ProducerSweep(this.#databases.producers, this.#producerIdle),
      counters: this.#databases.counters.get(COUNTERS_KEY) ?? { lastLog: 0, lastFeed: 0 },
      onFeed: () => this.#feedFollowers.wake(),
    };
    this.#feed = new FeedReader(store, this.#databases, (read) => this.#read(read));
    this.#trimmer = new Trimmer(this.#databases, store.commits);
    this.#trimmer.resume();
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
          resolve(append.outcome!);
          if (append.previous === undefined) return;
          this.#followers.tell(log, append.previous, () => append.storedEvents());
        },
        fail: (error) => reject(readFailure(error)),
        late: () => this.#followers.wakeAll(),
      });
    });
  }

  async read(log: LogName, options?: ReadOptions): Promise<Page> {
    this.#mustBeOpen();
    parseLogName(log);
    const request = parseReadOptions(options);
    return this.#read(() => this.#page(log, request));
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
    let mark: EventId | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#store.commits.submit({
        bytes: 0,
        frees: true,
        decide: (batch) => {
          mark = this.#markTrimmed(batch, log, through);
        },
        settle: resolve,
        fail: (error) => reject(readFailure(error)),
      });
    });
    if (mark !== undefined) this.#trimmer.add(log, mark);
  }

  async feed(options?: FeedOptions): Promise<FeedPage> {
    this.#mustBeOpen();
    return this.#feed.page(parseFeedOptions(options));
  }

  async followFeed(wake: () => void): Promise<() => void> {
    this.#mustBeOpen();
    return this.#feedFollowers.add(wake);
  }

  async feedEnd(): Promise<FeedCursor> {
    this.#mustBeOpen();
    return this.#feed.end();
  }

  close(): Promise<void> {
    this.#closing ??= closeAfterDependents(this, () => this.#close());
    return this.#closing;
  }

  #close(): Promise<void> {
    this.#closed = true;
    this.#trimmer.stop();
    this.#followers.wakeAll();
    this.#feedFollowers.wake();
    return this.#leave(CLOSE_PATIENCE).finally(() => {
      this.#followers.clear();
      this.#feedFollowers.clear();
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

  #page(log: LogName, request: ReadRequest): Page {
    const head = this.#databases.logs.get(log) ?? NO_LOG;
    const standing =
      request.reverse || request.unchecked ? WHOLE : this.#standing(head, request.after);
    const range = rangeOf(head, request, pageStart(request.after, standing));
    const page = takePage(this.#events(range), request.limit, request.maxBytes);
    return { ...page, version: head.version, standing };
  }

  #stage(batch: Batch, now: number): LogStage {
    return batch.stage(this, () => new LogStage(this.#state, now));
  }

  /** @returns the mark, if it moved */
  #markTrimmed(batch: Batch, log: LogName, through: EventId): EventId | undefined {
    const stage = this.#stage(batch, this.#clock());
    const head = stage.head(log);
    const mark = isAfter(through, head.version) ? head.version : through;
    if (!isAfter(mark, head.trimmed)) return undefined;
    stage.changeHead(log, { ...head, trimmed: mark });
    stage.addTrim(batch, log, head.number, mark);
    return mark;
  }

  #standing(head: LogHead, cursor: EventId): Standing {
    const { number, version, trimmed } = head;
    const holdsCursor =
      isAfter(cursor, trimmed) && this.#databases.events.doesExist([number, cursor]);
    return standingOf(cursor, {
      version,
      first: holdsCursor ? cursor : this.#firstKept(head),
      trimmed,
      maxDeleted: ZERO_ID,
      othersRemoved: false,
      holdsCursor,
    });
  }

  #firstKept({ number, trimmed }: LogHead): EventId | undefined {
    const range = {
      start: [number, trimmed] as const,
      exclusiveStart: true,
      end: [number + 1, ZERO_ID] as const,
      limit: 1,
    };
    for (const [, id] of this.#databases.events.getKeys(range)) return id;
    return undefined;
  }

  *#events(range: KeyRange<EventKey> | undefined): Iterable<StoredEvent> {
    if (range === undefined) return;
    for (const { key, value } of this.#databases.events.getRange(range)) {
      yield eventFrom(key[1], value);
    }
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Closed();
  }
}

/** The events after `after` (and after what was trimmed) and below `request.before`. */
function rangeOf(
  { number, trimmed }: LogHead,
  { before, reverse }: ReadRequest,
  after: EventId,
): KeyRange<EventKey> | undefined {
  const lower = laterOf(after, trimmed);
  if (before !== undefined && compareEventIds(before, lower) <= 0) return undefined;
  if (reverse) {
    return {
      start: [number, before ?? MAX_ID],
      exclusiveStart: before !== undefined,
      end: [number, lower],
      reverse,
    };
  }
  return {
    start: [number, lower],
    exclusiveStart: true,
    end: before === undefined ? [number + 1, ZERO_ID] : [number, before],
  };
}
