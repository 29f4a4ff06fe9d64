/** Opening everything that a store keeps, by where it is. */

import { EmbeddedLog } from './log/embedded/embedded-log.ts';
import { EmbeddedStore } from './log/embedded/embedded-store.ts';
import type { EventLog } from './log/log.ts';
import { RedisLog } from './log/redis/redis-log.ts';
import type { OpenLogOptions } from './open-log.ts';
import { EmbeddedRecords } from './records/embedded/embedded-records.ts';
import type { Records } from './records/records.ts';
import { RedisRecords } from './records/redis/redis-records.ts';

/** The event log and the records of one place. */
export interface Store<Log extends EventLog = EmbeddedLog | RedisLog> {
  readonly log: Log;
  readonly records: Records;
  /** Closes both. */
  close(): Promise<void>;
}

/**
 * Opens the event log and the records in Redis (`redis://…`, or `rediss://…` for TLS) or in a
 * folder of this machine, which is made if need be. Where only the log is needed: {@link openLog}.
 *
 *     const { log, records, close } = await openStore('./data');
 *
 * @throws Unavailable when Redis cannot be reached; MillraceError `unsupported_store` when it is
 *   older than 7.0, `store_locked` when another process has the folder open
 */
export async function openStore(location: string, options: OpenLogOptions = {}): Promise<Store> {
  return /^rediss?:\/\//i.test(location)
    ? openRedis(location, options)
    : openFolder(location, options);
}

async function openRedis(url: string, options: OpenLogOptions): Promise<Store<RedisLog>> {
  const log = await RedisLog.open(url, options);
  try {
    return together(log, await RedisRecords.open(url));
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function openFolder(folder: string, options: OpenLogOptions): Promise<Store<EmbeddedLog>> {
  const store = await EmbeddedStore.open(folder);
  return together(EmbeddedLog.on(store, options), EmbeddedRecords.on(store));
}

function together<Log extends EventLog>(log: Log, records: Records): Store<Log> {
  return {
    log,
    records,
    close: async () => {
      await Promise.all([log.close(), records.close()]);
    },
  };
}
