/**
 * What the contract of logs asks of a store, beside the contract itself: how to open it, and what
 * else can be done to it. A store that cannot do one of these says why; the tests that need it
 * are then reported as skipped, with that reason.
 */
import { randomBytes } from 'node:crypto';
import type { EventLimits } from '../../../event/event.ts';
import type { EventId } from '../../../event/event-id.ts';
import { type LogName, parseLogName } from '../../../event/log-name.ts';
import type { EventLog } from '../../../log/log.ts';
import type { LossyConnection, StoreKind, StoreUnderTest, Suite } from '../suite.ts';

export interface OpenOptions {
  /** Milliseconds since 1970. Only where the store has the capability `clock`. */
  readonly clock?: () => number;
  /** Milliseconds. */
  readonly producerIdle?: number;
  readonly limits?: Partial<EventLimits>;
  /** Milliseconds. Only where the store has the capability `foreign`. */
  readonly feedScan?: number;
}

export interface LogUnderTest extends StoreUnderTest<LogCapabilities> {
  /** Opens the data; again after a close, and at the same time if it is `shared`. */
  open(options?: OpenOptions): Promise<EventLog>;
}

export interface LogCapabilities {
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
  readonly lossy: LossyLog;
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

export type LossyLog = LossyConnection<EventLog, [options?: OpenOptions]>;

export type LogKind = StoreKind<LogUnderTest, LogCapabilities>;

/** What a test works with. */
export interface LogContext {
  /** Opens the store; closed after the test, if the test has not done that. */
  open(options?: OpenOptions): Promise<EventLog>;
  /** A log that nothing else uses. */
  readonly log: LogName;
  /** Another one. */
  newLog(): LogName;
}

export type LogSuite = Suite<LogContext, LogCapabilities>;

export function newLog(): LogName {
  return parseLogName(`contract:${randomBytes(9).toString('hex')}`);
}
