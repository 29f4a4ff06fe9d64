/** Opens all that a store in Redis keeps. */
import { observer } from '../../metrics/observer.ts';
import type { OpenLogOptions } from '../options.ts';
import { type Store, together } from '../store.ts';
import { logNeeds } from './log/log-needs.ts';
import { RedisLog, type RedisLogOptions } from './log/redis-log.ts';
import { RedisPlace } from './place/redis-place.ts';
import { allNeeds } from './place/rights.ts';
import { READ_MODELS_NEEDS } from './read-models/read-models-needs.ts';
import { RedisReadModels } from './read-models/redis-read-models.ts';
import { recordsNeeds } from './records/records-needs.ts';
import { RedisRecords, type RedisRecordsOptions } from './records/redis-records.ts';
import { RedisWorkQueues } from './work-queues/redis-work-queues.ts';
import { WORK_QUEUES_NEEDS } from './work-queues/work-queues-needs.ts';

/** What only a store in Redis takes. */
export interface RedisStoreOptions
  extends Pick<RedisLogOptions, 'sweepInterval' | 'appendWait'>,
    Pick<RedisRecordsOptions, 'keys'> {}

/**
 * Connects once, for all that the store keeps, and looks at Redis once for all of them.
 * @throws what `openStore` throws
 */
export async function openRedisStore(
  url: string,
  common: OpenLogOptions,
  { keys, ...ofLog }: RedisStoreOptions,
): Promise<Store<RedisLog>> {
  const options = { ...common, ...ofLog };
  const needs = (database: number) =>
    allNeeds([logNeeds(database), recordsNeeds(keys), READ_MODELS_NEEDS, WORK_QUEUES_NEEDS]);
  return RedisPlace.openFor(url, { observer: observer(options) }, needs, async (place) => {
    const log = await RedisLog.on(place, options);
    return together({
      log,
      records: RedisRecords.on(place),
      readModels: RedisReadModels.on(place),
      workQueues: RedisWorkQueues.on(place),
    });
  });
}
