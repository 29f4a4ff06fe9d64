/** Catch-up and push for all logs of one process, over any {@link EventLog}. */
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Start } from '../event/start.ts';
import type { Page, ReadOptions } from '../log/log.ts';
import type { Sink, Subscription } from './sink.ts';

/** Deliver logs to their readers. */
export interface Live {
  /**
   * Starts a subscription: everything after `start`, then everything new, in order, each event
   * once. Answers at once; the events come to the sink, never before this call has returned.
   * @throws Closed
   */
  subscribe(log: LogName, start: Start, sink: Sink): Subscription;
  /**
   * Reads a page like {@link EventLog.read}, but not before all reads that are under way here
   * leave room for it.
   * @throws InvalidInput, WrongType, Unavailable, Closed
   */
  read(log: LogName, options?: ReadOptions): Promise<Page>;
  /** Like {@link EventLog.before}. @throws InvalidInput, WrongType, Unavailable, Closed */
  before(log: LogName, count: number): Promise<EventId>;
  /** Ends all subscriptions, whose sinks are told that they have failed with Closed. Takes no more. */
  close(): void;
}
