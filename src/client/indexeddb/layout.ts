/**
 * What lies where in the database of one gateway and account, `millrace:<origin>:<account>`.
 *
 *   store      key              value                                     indexes
 *   outbox     0                { clientId, bytes }, of all entries       -
 *   entries    order ▲          Entry, and its size in bytes              key (unique), log
 *   places     log              { log, id, epoch, next, seen }            -
 *   outcomes   number ▲         { key, outcome }                          key (unique)
 *   refusals   number ▲         Refusal                                   key of its entry
 *   logs       log              Stretch: where it begins and ends,        -
 *                               and which chunks it is made of
 *   chunks     [log, number]    the events of a chunk                     -
 *   states     name             { state, cursor, version, used }          used: when it was kept
 *
 *   ▲ given out by the store, ascending; never given twice, as a transaction that is aborted takes
 *     its number back with all else
 *
 * The first five are the outbox and must outlive every change of this layout; the last three are the
 * cache, which may be emptied at any time.
 */
import { randomId } from '../outbox/mark.ts';

export const OUTBOX = 'outbox';
export const ENTRIES = 'entries';
export const PLACES = 'places';
export const OUTCOMES = 'outcomes';
export const REFUSALS = 'refusals';
export const LOGS = 'logs';
export const CHUNKS = 'chunks';
export const STATES = 'states';

export const CACHE_STORES = [LOGS, CHUNKS, STATES];

/** Raised with each change of the layout; then {@link layOut} has to know where it starts from. */
export const LAYOUT_VERSION = 1;

export function databaseName(gateway: string, account: string): string {
  // An account has no colon, so no two of these are the same.
  return `millrace:${gateway}:${account}`;
}

/** Runs in the transaction that makes the database: two tabs that open it at once find one client ID. */
export function layOut(database: IDBDatabase): void {
  const numbered = { autoIncrement: true };
  const unique = { unique: true };
  database.createObjectStore(OUTBOX).add({ clientId: randomId(), bytes: 0 }, 0);
  const entries = database.createObjectStore(ENTRIES, { ...numbered, keyPath: 'order' });
  entries.createIndex('key', 'key', unique);
  entries.createIndex('log', 'log');
  database.createObjectStore(PLACES, { keyPath: 'log' });
  database.createObjectStore(OUTCOMES, numbered).createIndex('key', 'key', unique);
  database.createObjectStore(REFUSALS, numbered).createIndex('key', 'entry.key');
  database.createObjectStore(LOGS, { keyPath: 'log' });
  database.createObjectStore(CHUNKS);
  database.createObjectStore(STATES).createIndex('used', 'used');
}
