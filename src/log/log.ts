/**
 * The first contract: append-only logs of events, one per owner, and how to learn that one grew.
 *
 * Stores implement it (`stores/`) and pass one suite, `src/testing/contract/log/`. Reading and
 * trimming rest on an inner contract, `kept-logs.ts`, which has a suite of its own.
 * Deliberately not in here: catching up and pushing (`live/`), who may do what (`gateway/`),
 * how durable a store is (each store tells that itself).
 */

import type { Appended } from '../event/appended.ts';
import type { NewEvent, StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Producer } from '../event/producer.ts';
import type { Standing } from '../event/standing.ts';
import type { FeedCursor, FeedOptions, FeedPage } from '../feed/feed.ts';
import type { StoreDescription } from './store-description.ts';

export interface AppendOptions {
  /**
   * The version that the caller decided on; `0-0` for a log that must not have had an event yet.
   * Left out: append whatever the version is.
   */
  readonly expected?: EventId | undefined;
  readonly producer?: Producer | undefined;
}

export interface ReadOptions {
  /** Only events with a greater ID. Default `0-0`. */
  readonly after?: EventId | undefined;
  /** Only events with a smaller ID. */
  readonly before?: EventId | undefined;
  /** How many events at most, 0 to 10,000; 0 asks for the version alone. Default 100. */
  readonly limit?: number | undefined;
  /**
   * How many bytes of events at most; a page holds at least one event if there is one.
   * Default 262,144.
   */
  readonly maxBytes?: number | undefined;
  /** Newest first: the last events below `before`. A reverse read is always `whole`. */
  readonly reverse?: boolean | undefined;
  /**
   * `after` is a place in time, not an event that the reader has seen: do not ask whether it is
   * there. Default false.
   */
  readonly unchecked?: boolean | undefined;
}

/** A stretch of a log. */
export interface Page {
  /** In ID order, or newest first for a reverse read. Next to each other: nothing lies between two. */
  readonly events: readonly StoredEvent[];
  /** Whether there are further events in the direction of the read. */
  readonly more: boolean;
  /** The last ID that the log has given out, `0-0` for a log that never had an event. Of the same moment as the events. */
  readonly version: EventId;
  /**
   * Whether the reader's cursor (`after`) is still in the log, so that `events` goes on exactly
   * there. `trimmed` and `reset`: `events` starts with the first kept event instead.
   */
  readonly standing: Standing;
}

/**
 * Who wants to know about one log. Calls come in no promised number: a wake-up can be missed,
 * doubled or late. The truth is what {@link EventLog.read} answers.
 * A follower must not throw and must not block.
 */
export interface Follower {
  /**
   * `events` are in the log, next to each other; `previous` was the log's version before the
   * first of them. A reader whose position is `previous` may take them as its next ones.
   */
  events(previous: EventId, events: readonly StoredEvent[]): void;
  /** Something may have come, or may have been lost: read from your position, checked. */
  wake(): void;
  /**
   * The ID up to which the follower knows the log. A store that sweeps asks for what lies above, and
   * whether the log has given that ID out at all: a log that was lost wakes its followers too.
   */
  position(): EventId;
}

/** The outcome of {@link EventLog.append} is told by its error: see `event/store-errors.ts`. */
export interface EventLog {
  /**
   * Adds one or more events to one log, all or nothing, with IDs next to each other.
   * Resolves once the events are as durable as the store is configured to make them.
   * Appends to one log through one EventLog keep the order in which they were called.
   *
   * The producer is looked at first, then `expected`. A refused append uses up nothing.
   *
   * @throws InvalidInput before anything is sent; VersionConflict, ProducerGap, ProducerFenced,
   *   WrongType, LogFull, Unavailable, Closed: it did not happen; OutcomeUnknown: it may have.
   */
  append(log: LogName, events: readonly NewEvent[], options?: AppendOptions): Promise<Appended>;

  /**
   * Reads a page. A log that never had an event is an empty one.
   * @throws InvalidInput, WrongType, Unavailable, Closed
   */
  read(log: LogName, options?: ReadOptions): Promise<Page>;

  /**
   * The place before the last `count` events that are kept, 1 to 10,000: who reads on `after` it,
   * `unchecked`, gets those and what comes then. `0-0` where there are no more than `count`. The
   * events themselves are not read out of the store.
   * @throws InvalidInput, WrongType, Unavailable, Closed
   */
  before(log: LogName, count: number): Promise<EventId>;

  /**
   * Calls `follower` about appends to `log` from the moment that the promise resolves.
   * After any loss of the store connection, or whatever else may have cost it a wake-up, the
   * store calls `wake()` once it listens again. Only `live/` uses it.
   *
   * A store may take as long as it is away. Who aborts `signal` before the promise resolves is
   * forgotten at once, and the promise rejects with the signal's reason; a store that needs no
   * time may resolve all the same. Once it has resolved, the signal means nothing.
   * @returns what ends it; calling that twice does no harm
   * @throws Unavailable, Closed
   */
  follow(log: LogName, follower: Follower, signal?: AbortSignal): Promise<() => void>;

  /**
   * Forgets the events up to and including `through`, and remembers `through`, so that a reader
   * who had not seen them all is told. An ID at or below an earlier trim changes nothing; one
   * above the version forgets all there is and remembers the version.
   * @throws InvalidInput, WrongType, Unavailable, Closed
   */
  trim(log: LogName, through: EventId): Promise<void>;

  /**
   * The feed of the store that the log is in, for those who were given nothing but the log: a page
   * of it, who follows it, its end. Its contract is `Feed`, as `store.feed`. Events that others
   * add with a store's own tools come in once the store has noticed them.
   */
  feed(options?: FeedOptions): Promise<FeedPage>;
  followFeed(wake: () => void, signal?: AbortSignal): Promise<() => void>;
  feedEnd(): Promise<FeedCursor>;

  /**
   * What this store is, and how much an acknowledgement is worth as it is configured now: for
   * people, without any secret.
   * @throws Unavailable, Closed, where a server has to be asked
   */
  describe(): Promise<StoreDescription>;

  /**
   * First ends what runs on it, as `endDependents` says. Then takes no more work, lets what is in flight come to its end, and frees everything. Work that
   * cannot end within a few seconds fails with what it must be taken for (Unavailable,
   * OutcomeUnknown). Followers of logs and of the feed are woken a last time, and learn by reading
   * that it is closed. A second call waits for the same end.
   */
  close(): Promise<void>;
}
