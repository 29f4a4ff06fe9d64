/** Opens all that a store in Redis keeps. */
import type { OpenLogOptions } from '../options.ts';
import { type Store, together } from '../store.ts';
import { RedisLog, type RedisLogOptions } from './log/redis-log.ts';
import { RedisReadModels } from './read-models/redis-read-models.ts';
import { RedisRecords, type RedisRecordsOptions } from './records/redis-records.ts';
import { RedisWorkQueues } from './work-queues/redis-work-queues.ts';

/** What only a store in Redis takes. */
export interface RedisStoreOptions
  extends Pick<RedisLogOptions, 'sweepInterval' | 'appendWait'>,
    Pick<RedisRecordsOptions, 'keys'> {}

/** @throws what `openStore` throws */
export async function openRedisStore(
  url: string,
  options: OpenLogOptions,
  { keys, ...ofLog }: RedisStoreOptions,
): Promise<Store<RedisLog>> {
  const log = await RedisLog.open(url, { ...options, ...ofLog });
  const opened: { close(): Promise<void> }[] = [log];
  try {
    const records = await RedisRecords.open(url, { keys });
    opened.push(records);
    const readModels = await RedisReadModels.open(url);
    opened.push(readModels);
    const workQueues = await RedisWorkQueues.open(url);
    return together({ log, records, readModels, workQueues });
  } catch (error) {
    await Promise.all(opened.map((each) => each.close()));
    throw error;
  }
}
