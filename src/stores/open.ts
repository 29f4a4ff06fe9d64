/**
 * Opening a store by where it is: the one place that chooses, for the library and the command line.
 * What is not chosen is not loaded.
 */
import type { EmbeddedLog } from './embedded/log/embedded-log.ts';
import type { OpenLogOptions } from './options.ts';
import type { RedisLog } from './redis/log/redis-log.ts';
import type { RedisStoreOptions } from './redis/open.ts';
import type { Store } from './store.ts';

export type { OpenLogOptions } from './options.ts';
export type { RedisStoreOptions } from './redis/open.ts';
export type { Store } from './store.ts';

export interface OpenStoreOptions extends OpenLogOptions {
  /** What only a store in Redis takes. */
  readonly redis?: RedisStoreOptions | undefined;
}

/**
 * Opens all that a store keeps: in Redis (`redis://…`, or `rediss://…` for TLS) or in a
 * folder of this machine, which is made if need be. Where only the log is needed: `openLog`.
 *
 *     const { log, records, close } = await openStore('./data');
 *
 * A Redis that still loads its data is waited for.
 *
 * @throws Unavailable when Redis cannot be reached; MillraceError `unsupported_store` when it is
 *   none that can keep a store (older than 7.0, a cluster, a replica), or does not let us do what is
 *   needed; `store_locked` when another process has the folder open
 */
export async function openStore(location: string, options: OpenStoreOptions = {}): Promise<Store> {
  const { redis = {}, ...common } = options;
  if (isRedisUrl(location)) {
    return (await import('./redis/open.ts')).openRedisStore(location, common, redis);
  }
  return (await import('./embedded/open.ts')).openEmbeddedStore(location, common);
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
export async function openLog(
  location: string,
  options: OpenLogOptions = {},
): Promise<EmbeddedLog | RedisLog> {
  if (isRedisUrl(location)) {
    return (await import('./redis/log/redis-log.ts')).RedisLog.open(location, options);
  }
  return (await import('./embedded/log/embedded-log.ts')).EmbeddedLog.open(location, options);
}

function isRedisUrl(location: string): boolean {
  return /^rediss?:\/\//i.test(location);
}
