/** `millrace/client/indexeddb`: keeps outbox and cache in the browser's database. */
import { textOf } from '../../event/thrown.ts';
import type { Device, Persist } from '../device.ts';
import { MemoryOutbox } from '../outbox/memory-outbox.ts';
import { DEFAULT_OUTBOX_LIMITS, type OutboxLimits } from '../outbox/outbox-store.ts';
import { webTabs } from '../tabs/web-tabs.ts';
import { Database } from './database.ts';
import { databaseName } from './layout.ts';
import { StoredCache } from './stored-cache.ts';
import { openStoredOutbox } from './stored-outbox.ts';

/** An `IDBFactory`, where the program is compiled with the types of browsers. */
export type DatabaseFactory = typeof globalThis extends { readonly indexedDB: infer Factory }
  ? Factory
  : unknown;

export interface IndexedDbOptions {
  /** Most entries that the outbox holds, over all logs. Default 1,000. */
  readonly maxOutboxEntries?: number | undefined;
  /** Most bytes of events that the outbox holds. Default 4 MiB. */
  readonly maxOutboxBytes?: number | undefined;
  /** Most events that the cache keeps of a log: the last ones. Default 1,000. */
  readonly maxCachedEventsPerLog?: number | undefined;
  /** Most events that the cache keeps of all logs; those of the logs go first that were not used for longest. Default 20,000. */
  readonly maxCachedEvents?: number | undefined;
  /** Most bytes of these events. Default 16 MiB. */
  readonly maxCachedBytes?: number | undefined;
  /** Default `globalThis.indexedDB`. With another one each client is its own, as there are no tabs that share it. */
  readonly factory?: DatabaseFactory | undefined;
}

/** A browser that does not answer for so many milliseconds is taken for one without a database. */
const OPENING_TIME = 10_000;

/**
 * Keeps the outbox over reloads and lets a page open with what it had.
 *
 * Where the browser has no database or does not open it (some private modes, a page in a frame without
 * storage) the outbox is in memory, and the console says so once.
 *
 * A browser may remove what a site keeps: Safari does after seven days of use without a visit, others
 * where a disk is full. `navigator.storage.persist()` asks it not to. That is left to the page, as some
 * browsers ask the person then: call it when there is something that they would not want to lose.
 *
 *     connect('https://events.example', { token, persist: indexedDb() })
 */
export function indexedDb(options: IndexedDbOptions = {}): Persist {
  const limits = {
    maxEntries: options.maxOutboxEntries ?? DEFAULT_OUTBOX_LIMITS.maxEntries,
    maxBytes: options.maxOutboxBytes ?? DEFAULT_OUTBOX_LIMITS.maxBytes,
  };
  const cacheLimits = {
    maxEventsPerLog: options.maxCachedEventsPerLog ?? 1_000,
    maxEvents: options.maxCachedEvents ?? 20_000,
    maxBytes: options.maxCachedBytes ?? 16_777_216,
  };
  let isWarned = false;
  return {
    async open(gateway, account) {
      const name = databaseName(gateway, account);
      try {
        // A page that may not use it may not even look at `indexedDB`.
        const database = new Database(options.factory ?? globalThis.indexedDB, name);
        const opening = openStoredOutbox(database, limits);
        const outbox = await inTime(opening).catch((error) => {
          database.end('was not opened in time');
          throw error;
        });
        const tabs = options.factory === undefined ? webTabs(name) : undefined;
        return {
          outbox,
          cache: new StoredCache(database, cacheLimits),
          tabs,
          forget() {
            tabs?.close();
            return database.remove();
          },
          close() {
            tabs?.close();
            database.end('was closed');
          },
        };
      } catch (error) {
        if (!isWarned) {
          console.warn(`millrace: nothing is kept over a reload of this page: ${textOf(error)}`);
        }
        isWarned = true;
        return inMemory(limits);
      }
    },
  };
}

function inMemory(limits: OutboxLimits): Device {
  return {
    outbox: new MemoryOutbox(limits),
    cache: undefined,
    tabs: undefined,
    forget: async () => {},
    close: () => {},
  };
}

function inTime<Result>(opening: Promise<Result>): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`IndexedDB did not answer within ${OPENING_TIME / 1_000} s`));
    }, OPENING_TIME);
  });
  return Promise.race([opening, late]).finally(() => clearTimeout(timer));
}
