/**
 * What the contract suite asks of a store, beside the contract itself: how to open it, and what
 * else can be done to it. A store that cannot do one of these says why; the tests that need it
 * are then reported as skipped, with that reason.
 */
import type { EventLimits } from '../../../event/event.ts';
import type { EventId } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { EventLog } from '../../../log/log.ts';

export interface OpenOptions {
  /** Milliseconds since 1970. Only where the store has the capability `clock`. */
  readonly clock?: () => number;
  /** Milliseconds. */
  readonly producerIdle?: number;
  readonly limits?: Partial<EventLimits>;
  /** Milliseconds. Only where the store has the capability `foreign`. */
  readonly feedScan?: number;
}

/** One store with its data, made for one test. */
export interface StoreUnderTest {
  /** Opens the data; again after a close, and at the same time if it is `shared`. */
  open(options?: OpenOptions): Promise<EventLog>;
  /** Removes it all. Everything that was opened has been closed. */
  dispose(): Promise<void>;
  readonly capabilities: Partial<Capabilities>;
}

export interface Capabilities {
  /** Event IDs come from a clock that the test sets. */
  readonly clock: true;
  /** Several event logs can be open on the same data. */
  readonly shared: true;
  /** Gives a log that has no event yet one event, with this ID. Only while nothing is open. */
  readonly startAt: (log: LogName, id: EventId) => Promise<void>;
  /** Puts something that is no log in the log's place. */
  readonly occupy: (log: LogName) => Promise<void>;
  /**
   * Keeps the data of a log and the feed as they are now. What it answers puts that back: the store has lost all
   * that came later. Both only while nothing is open.
   */
  readonly backup: (log: LogName) => Promise<() => Promise<void>>;
  readonly foreign: ForeignWriter;
  readonly lossy: LossyConnection;
}

/** Somebody who uses the store's own tools and knows nothing of us. */
export interface ForeignWriter {
  /** Adds an entry with these fields, names and values in turn, under the next ID or the given one. */
  add(log: LogName, fields: readonly (string | Uint8Array)[], id?: string): Promise<EventId>;
  /** Removes the oldest entries so that `kept` are left. */
  trim(log: LogName, kept: number): Promise<void>;
  /** Removes single entries. */
  remove(log: LogName, ...ids: EventId[]): Promise<void>;
  /** Removes the log, and all that is known of it. */
  drop(log: LogName): Promise<void>;
  /** Copies the log as it is now. What it answers puts that into the place of what is there then. */
  copy(log: LogName): Promise<() => Promise<void>>;
}

/** A store at the other end of a connection that can be disturbed. */
export interface LossyConnection {
  /** Opens the data through that connection. */
  open(options?: OpenOptions): Promise<EventLog>;
  /** From now on requests arrive and replies do not. */
  swallowReplies(): void;
  /** Whether a reply has been swallowed, so that a request has been served. */
  hasSwallowed(): boolean;
  /** Breaks the connection; a new one can be made after {@link heal}. */
  cut(): void;
  heal(): void;
}

export type Capability = keyof Capabilities;

/** A kind of store. */
export interface StoreKind {
  readonly name: string;
  /** The capabilities that it has not, each with the reason. All others it has. */
  readonly lacks: Partial<Record<Capability, string>>;
  /** A fresh store, or a corner of one that no other test uses. */
  setup(): Promise<StoreUnderTest>;
}
