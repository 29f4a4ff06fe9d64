/** All that one place keeps, and how it ends. */
import type { Feed } from '../feed/feed.ts';
import { endDependents } from '../log/dependents.ts';
import type { EventLog } from '../log/log.ts';
import type { ReadModels } from '../read-models/read-models.ts';
import type { Records } from '../records/records.ts';
import type { WorkQueues } from '../work-queues/work-queues.ts';
import type { EmbeddedLog } from './embedded/log/embedded-log.ts';
import type { RedisLog } from './redis/log/redis-log.ts';

/** All that one place keeps: the event log, the records, what projections write, and what workers have done. */
export interface Store<Log extends EventLog = EmbeddedLog | RedisLog> {
  readonly log: Log;
  /** The index over all logs, which projections follow; `log.feed()` and the like are the same. */
  readonly feed: Feed;
  readonly records: Records;
  readonly readModels: ReadModels;
  readonly workQueues: WorkQueues;
  /**
   * Ends all that runs on the store, and then closes it: the one call that an application needs in
   * the end.
   *
   *     process.once('SIGTERM', () => store.close());
   *
   * In order: gateways, with the ports that they listen on, workers, process managers, reactions,
   * accounts; then command handlers; then projections and live delivery; then the store. All of
   * them together have `graceMs` milliseconds (default 5,000) to let what is under way come to its
   * end: requests, appends, handlers. What has not ended by then is cut, as it is when one ends it
   * by itself; then the store takes a few seconds more at most. A second call waits for the same end.
   *
   * What still waits for the store is told Closed: loops over `subscribe`, `caughtUp()`, `drain()`.
   */
  close(graceMs?: number): Promise<void>;
}

/** The store that these make up. */
export function together<Log extends EmbeddedLog | RedisLog>(
  parts: Omit<Store<Log>, 'close' | 'feed'>,
): Store<Log> {
  const { log, records, readModels, workQueues } = parts;
  const close = async (graceMs: number | undefined) => {
    await endDependents(log, graceMs);
    await Promise.all([log, records, readModels, workQueues].map((each) => each.close()));
  };
  let closing: Promise<void> | undefined;
  return {
    ...parts,
    feed: log.asFeed(),
    close(graceMs) {
      closing ??= close(graceMs);
      return closing;
    },
  };
}
