/** Opening the chosen store. */

import { MillraceError } from '../event/error.ts';
import { Unavailable } from '../event/store-errors.ts';
import { endDependents } from '../log/dependents.ts';
import type { Records } from '../records/records.ts';
import { EmbeddedStore } from '../stores/embedded/embedded-store.ts';
import { EmbeddedLog } from '../stores/embedded/log/embedded-log.ts';
import { EmbeddedRecords } from '../stores/embedded/records/embedded-records.ts';
import { RedisLog } from '../stores/redis/log/redis-log.ts';
import type { OnConnection } from '../stores/redis/place/connection-report.ts';
import { RedisRecords } from '../stores/redis/records/redis-records.ts';
import { CommandFailure, withoutCredentials } from './failure.ts';
import { eventLimits } from './settings/limit-settings.ts';
import type { Settings } from './settings/settings.ts';
import type { StoreChoice } from './settings/store-choice.ts';

/** The records that a gateway keeps, with an example for each kind; those of sessions are the application's. */
const RECORDS = {
  account_id: 'account_id',
  'email:*': 'email:a',
  'open_reservations:*': 'open_reservations:0',
  'ticket:*': 'ticket:a',
  'limit:*': 'limit:a',
  'gateway:*': 'gateway:a',
};

/** The event log and the records of one place. */
export interface OpenStore {
  readonly log: EmbeddedLog | RedisLog;
  readonly records: Records;
  /** Ends what runs on them, which has `graceMs` milliseconds for that, and closes both. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Opens the store.
 * @param onConnection told what becomes of the connection, of a store that has one
 * @throws CommandFailure that says what stands in the way, and what to do about it.
 */
export async function openStore(
  settings: Settings,
  onConnection: OnConnection,
): Promise<OpenStore> {
  const { store, sweep, appendWait } = settings;
  const limits = eventLimits(settings);
  try {
    if (store.kind === 'embedded') {
      return await EmbeddedStore.openFor(store.folder, (folder) =>
        together(EmbeddedLog.on(folder, { limits }), EmbeddedRecords.on(folder)),
      );
    }
    const log = await RedisLog.open(store.url, {
      sweepInterval: sweep,
      appendWait,
      limits,
      onConnection,
    });
    try {
      return together(log, await RedisRecords.open(store.url, { keys: RECORDS }));
    } catch (error) {
      await log.close();
      throw error;
    }
  } catch (error) {
    throw new CommandFailure(explainStore(store, error), undefined, { cause: error });
  }
}

function together(log: EmbeddedLog | RedisLog, records: Records): OpenStore {
  return {
    log,
    records,
    async close(graceMs) {
      await endDependents(log, graceMs);
      await Promise.all([log.close(), records.close()]);
    },
  };
}

/** What stands in the way of opening a store, and what to do about it. */
export function explainStore(store: StoreChoice, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (store.kind === 'redis') {
    const shown = withoutCredentials(store.url);
    if (error instanceof Unavailable) {
      const reason = /\((.*)\)/s.exec(message)?.[1] ?? message;
      return `Redis at ${shown} cannot be used: ${reason}.\nStart it, or choose another store with --store (a folder needs no server).`;
    }
    return `Redis at ${shown} cannot be used: ${message}`;
  }
  if (code === 'store_locked') return message;
  if (error instanceof MillraceError) return `The store in ${store.folder}: ${message}`;
  return `The store in ${store.folder} cannot be opened: ${message}`;
}
