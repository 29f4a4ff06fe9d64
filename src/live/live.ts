/** Catch-up and push for all logs of one process, over any {@link EventLog}. */
import type { LogName } from '../event/log-name.ts';
import type { Sink, Start, Subscription } from './sink.ts';

/** Deliver logs to their readers. */
export interface Live {
  /**
   * Starts a subscription: everything after `start`, then everything new, in order, each event
   * once. Answers at once; the events come to the sink, never before this call has returned.
   */
  subscribe(log: LogName, start: Start, sink: Sink): Subscription;
  /** Ends all subscriptions. */
  close(): void;
}
