/** Opens all that a store in a folder keeps. */
import type { OpenLogOptions } from '../options.ts';
import { type Store, together } from '../store.ts';
import { EmbeddedStore } from './embedded-store.ts';
import { EmbeddedLog } from './log/embedded-log.ts';
import { EmbeddedReadModels } from './read-models/embedded-read-models.ts';
import { EmbeddedRecords } from './records/embedded-records.ts';
import { EmbeddedWorkQueues } from './work-queues/embedded-work-queues.ts';

/** @throws what `openStore` throws */
export function openEmbeddedStore(
  folder: string,
  options: OpenLogOptions,
): Promise<Store<EmbeddedLog>> {
  return EmbeddedStore.openFor(folder, (store) =>
    together({
      log: EmbeddedLog.on(store, options),
      records: EmbeddedRecords.on(store),
      readModels: EmbeddedReadModels.on(store),
      workQueues: EmbeddedWorkQueues.on(store),
    }),
  );
}
