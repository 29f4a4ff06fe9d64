/** Opening everything that a store keeps, by where it is. */

import { endDependents } from '../log/dependents.ts';
import type { EventLog } from '../log/log.ts';
import type { ReadModels } from '../read-models/read-models.ts';
import type { Records } from '../records/records.ts';
import type { WorkQueues } from '../work-queues/work-queues.ts';
import { EmbeddedStore } from './embedded/embedded-store.ts';
import { EmbeddedLog } from './embedded/log/embedded-log.ts';
import { EmbeddedReadModels } from './embedded/read-models/embedded-read-models.ts';
import { EmbeddedRecords } from './embedded/records/embedded-records.ts';
import { EmbeddedWorkQueues } from './embedded/work-queues/embedded-work-queues.ts';
import type { OpenLogOptions } from './open-log.ts';
import { RedisLog } from './redis/log/redis-log.ts';
import { RedisReadModels } from './redis/read-models/redis-read-models.ts';
import { RedisRecords } from './redis/records/redis-records.ts';
import { RedisWorkQueues } from './redis/work-queues/redis-work-queues.ts';

/** All that one place keeps: the event log, the records, what projections write, and what workers have done. */
export interface Store<Log extends EventLog = EmbeddedLog | RedisLog> {
  readonly log: Log;
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

/**
 * Opens all that a store keeps: in Redis (`redis://…`, or `rediss://…` for TLS) or in a
 * folder of this machine, which is made if need be. Where only the log is needed: {@link openLog}.
 *
 *     const { log, records, close } = await openStore('./data');
 *
 * A Redis that still loads its data is waited for.
 *
 * @throws Unavailable when Redis cannot be reached; MillraceError `unsupported_store` when it is
 *   none that can keep a store (older than 7.0, a cluster, a replica), or does not let us do what is
 *   needed; `store_locked` when another process has the folder open
 */
export async function openStore(location: string, options: OpenLogOptions = {}): Promise<Store> {
  return /^rediss?:\/\//i.test(location)
    ? openRedis(location, options)
    : openFolder(location, options);
}

async function openRedis(url: string, options: OpenLogOptions): Promise<Store<RedisLog>> {
  const log = await RedisLog.open(url, options);
  const opened: { close(): Promise<void> }[] = [log];
  try {
    const records = await RedisRecords.open(url);
    opened.push(records);
    const readModels = await RedisReadModels.open(url);
    opened.push(readModels);
    return together(log, records, readModels, await RedisWorkQueues.open(url));
  } catch (error) {
    await Promise.all(opened.map((each) => each.close()));
    throw error;
  }
}

async function openFolder(folder: string, options: OpenLogOptions): Promise<Store<EmbeddedLog>> {
  return EmbeddedStore.openFor(folder, (store) =>
    together(
      EmbeddedLog.on(store, options),
      EmbeddedRecords.on(store),
      EmbeddedReadModels.on(store),
      EmbeddedWorkQueues.on(store),
    ),
  );
}

function together<Log extends EventLog>(
  log: Log,
  records: Records,
  readModels: ReadModels,
  workQueues: WorkQueues,
): Store<Log> {
  const close = async (graceMs: number | undefined) => {
    await endDependents(log, graceMs);
    await Promise.all([log, records, readModels, workQueues].map((each) => each.close()));
  };
  let closing: Promise<void> | undefined;
  return {
    log,
    records,
    readModels,
    workQueues,
    close(graceMs) {
      closing ??= close(graceMs);
      return closing;
    },
  };
}
