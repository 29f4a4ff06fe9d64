/**
 * Looks at the files of an environment before LMDB does: lmdb-js 3.5 ends the whole process when
 * LMDB refuses to open them (it frees something twice), and that must not be the answer to a wrong
 * folder or a wrong owner.
 *
 *   page 0 and page 1, each:  header 24 │ magic 4 │ version 4 │ … │ page size 4 (at 48) │ …
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { StoreUnusable } from './store-errors.ts';

export const MAGIC = 0xbeefc0de;
export const VERSION = 2;
const MAGIC_AT = 24;
const PAGE_SIZE_AT = 48;
const META_BYTES = 168;

/** @throws StoreUnusable, or what the file system says */
export function checkDataFiles(folder: string): void {
  for (const name of ['data.mdb', 'lock.mdb']) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    const descriptor = openSync(path, 'r+');
    try {
      if (name === 'data.mdb' && fstatSync(descriptor).size > 0 && !isEnvironment(descriptor)) {
        throw new StoreUnusable(
          folder,
          'data.mdb in it is not a database that this version can read',
        );
      }
    } finally {
      closeSync(descriptor);
    }
  }
}

function isEnvironment(descriptor: number): boolean {
  const first = metaPageAt(descriptor, 0);
  if (first === undefined) return false;
  const pageSize = first.getUint32(PAGE_SIZE_AT, true);
  const isPossible = pageSize >= 256 && pageSize <= 65_536 && (pageSize & (pageSize - 1)) === 0;
  return isPossible && metaPageAt(descriptor, pageSize) !== undefined;
}

function metaPageAt(descriptor: number, position: number): DataView | undefined {
  const bytes = new Uint8Array(META_BYTES);
  if (readSync(descriptor, bytes, 0, META_BYTES, position) < META_BYTES) return undefined;
  const page = new DataView(bytes.buffer);
  const isOurs =
    page.getUint32(MAGIC_AT, true) === MAGIC && page.getUint16(MAGIC_AT + 4, true) === VERSION;
  return isOurs ? page : undefined;
}
