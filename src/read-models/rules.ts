/** The rules for what callers hand to a store of read models, the same in every store. */
import { InvalidInput } from '../event/error.ts';
import type { ReadModelCommit } from './read-models.ts';

/** Of one commit: so that none of them holds a store for long. */
export const MAX_COMMIT_ROWS = 20_000;
/** Of the keys and rows of one commit together, in UTF-16 units; a store may count three bytes for each. */
export const MAX_COMMIT_SIZE = 4_194_304;
const MAX_KEY_BYTES = 1_024;

const TABLE = /^[A-Za-z0-9._:@-]{1,200}$/;

const encoder = new TextEncoder();

/** @throws InvalidInput */
export function checkTable(table: string): string {
  if (typeof table === 'string' && TABLE.test(table)) return table;
  throw new InvalidInput('table', 'must be 1 to 200 characters of A-Z a-z 0-9 . _ : @ -');
}

/** @throws InvalidInput */
export function checkRowKey(key: string): string {
  if (typeof key !== 'string' || key === '' || !key.isWellFormed()) {
    throw new InvalidInput('key', 'must be well-formed text that is not empty');
  }
  if (key.length * 3 > MAX_KEY_BYTES && encoder.encode(key).length > MAX_KEY_BYTES) {
    throw new InvalidInput('key', `must be at most ${MAX_KEY_BYTES} bytes`);
  }
  return key;
}

/**
 * @returns the length of all keys and rows, in UTF-16 units
 * @throws InvalidInput; `too_large` when fewer or smaller rows would do
 */
export function checkCommit({ changes, expected, next, token }: ReadModelCommit): number {
  if (expected !== null && typeof expected !== 'string') {
    throw new InvalidInput('expected', 'must be a cursor, or null');
  }
  if (typeof next !== 'string') throw new InvalidInput('next', 'must be a cursor');
  if (!Number.isSafeInteger(token) || token < 1) {
    throw new InvalidInput('token', 'must be a whole number above 0');
  }
  let size = 0;
  for (const [key, text] of changes) {
    checkRowKey(key);
    if (text !== null && (typeof text !== 'string' || !text.isWellFormed())) {
      throw new InvalidInput('changes', 'must hold well-formed text, or null for no row');
    }
    size += key.length + (text?.length ?? 0);
  }
  if (changes.size > MAX_COMMIT_ROWS) {
    throw new InvalidInput('changes', `must be at most ${MAX_COMMIT_ROWS} rows`, 'too_large');
  }
  if (size > MAX_COMMIT_SIZE) {
    throw new InvalidInput('changes', `must be at most ${MAX_COMMIT_SIZE} characters`, 'too_large');
  }
  return size;
}
