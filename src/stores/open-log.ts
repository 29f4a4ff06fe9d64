/** Choosing a store by where it is. */
import type { EventLimits } from '../event/event.ts';
import { EmbeddedLog } from './embedded/log/embedded-log.ts';
import { RedisLog } from './redis/log/redis-log.ts';
import type { OnConnection } from './redis/place/connection-report.ts';

/** What every store takes; each store's own `open` takes more. */
export interface OpenLogOptions {
  /** What an append may hold, in bytes; what is left out keeps its default. */
  readonly limits?: Partial<EventLimits> | undefined;
  /** How long a producer that does not append is remembered, in milliseconds. Default 7 days. */
  readonly producerIdle?: number | undefined;
  /** Of Redis: told that it loads its data, is lost, refuses us, and that all is well again, for a log line. */
  readonly onConnection?: OnConnection | undefined;
}

/**
 * Opens the event log in Redis (`redis://…`, or `rediss://…` for TLS) or in a folder of this
 * machine, which is made if need be.
 *
 *     const log = await openLog('./data');
 *     await log.append(accountLog('1'), [{ type: 'Greeted', payload: { text: 'hi' } }]);
 *
 * A Redis that still loads its data is waited for.
 *
 * @throws Unavailable when Redis cannot be reached; MillraceError `unsupported_store` when it is
 *   none that can keep a store (older than 7.0, a cluster, a replica), or does not let us do what is
 *   needed; `store_locked` when another process has the folder open
 */
export function openLog(
  store: string,
  options: OpenLogOptions = {},
): Promise<EmbeddedLog | RedisLog> {
  return /^rediss?:\/\//i.test(store)
    ? RedisLog.open(store, options)
    : EmbeddedLog.open(store, options);
}
