/**
 * What is counted, timed and gauged, for whoever exports it; nothing of that happens in here. A
 * label (`of`) is one of a few: an outcome, an error code, a name that the application gave to a
 * worker or a projection. It never grows with accounts, logs or clients.
 */

/** How often something happened. */
export type Count =
  /** Appends that were answered, by their outcome: `appended`, `duplicate`, or the code of the error. */
  | 'appends'
  /** Events handed to subscribers that are up to date. */
  | 'deliveries'
  /** Pages read from the store for subscribers that are not. */
  | 'catch_up_reads'
  /** Subscribers that did not take what came, and read it later. */
  | 'slow_readers'
  /** Requests and upgrades that were not let in, by error code. */
  | 'refusals'
  /** Events that a worker has given up, by its group. */
  | 'dead_letters'
  /** What `onNotice` is told, by `what`. */
  | 'notices';

/** How long something took, in milliseconds. */
export type Timing =
  /** A batch of appends, from being sent to the store to its answer. */
  'append_batch';

/** How much of something there is. */
export type Gauge =
  /** Subscriptions of a live delivery. */
  | 'subscriptions'
  /** 1 while the store can be reached and does what is asked, otherwise 0. */
  | 'store_connected'
  /** Entries of the feed that a projection or reaction has still to count in, by its name. */
  | 'feed_lag'
  /** How much a group of workers has to do, by its name; when {@link Worker.lag} or `drain` ask. */
  | 'queue_depth';

/**
 * Takes what is measured. It is called where work is done, so it should do no more than add up;
 * what it throws changes nothing.
 */
export interface Metrics {
  count(name: Count, by: number, of?: string): void;
  time(name: Timing, milliseconds: number): void;
  gauge(name: Gauge, value: number, of?: string): void;
}
