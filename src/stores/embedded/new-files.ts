/**
 * Makes the files of an environment as far as LMDB's own way of making them can end the process.
 *
 * LMDB maps lock.mdb into memory before it has any blocks on the disk; touched when the disk is
 * full, such memory is a bus error. And lmdb-js frees the environment twice when the first two pages
 * of a new data.mdb cannot be written. Where we write them, a full disk is an error like any other.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { MAGIC, VERSION } from './data-file.ts';

/** Enough for LMDB's 126 readers; what is longer it takes for more of them. */
const LOCK_BYTES = 12_288;
const DEFAULT_PAGE_SIZE = 4_096;
/** How large lmdb-js maps a new environment. */
const FIRST_MAP_BYTES = 131_072;
const META_FLAG = 0x08;
const INTEGER_KEYS = 0x08;
const NO_ROOT = 0xffff_ffff_ffff_ffffn;

export function makeFiles(folder: string): void {
  if (process.platform === 'win32') return; // maps nothing without blocks, and fails as it should
  fillLockFile(join(folder, 'lock.mdb'));
  // The layout is that of 64 bits.
  const isKnown = ['x64', 'arm64'].includes(process.arch) && endianness() === 'LE';
  if (process.platform === 'linux' && isKnown) makeDataFile(join(folder, 'data.mdb'));
}

/** Gives the file of readers all of its blocks. Only for who has the folder: nobody reads yet. */
function fillLockFile(path: string): void {
  const descriptor = openSync(path, existsSync(path) ? 'r+' : 'w+', 0o664);
  try {
    const { size, blocks } = fstatSync(descriptor);
    if (size >= LOCK_BYTES && blocks * 512 >= size) return;
    // What is in it stays: a tool may look at the environment at this moment.
    const bytes = Buffer.alloc(Math.max(size, LOCK_BYTES));
    readSync(descriptor, bytes, 0, size, 0);
    writeAll(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(descriptor, bytes, at, bytes.length - at, at);
  }
}

function makeDataFile(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  const fresh = `${path}.new`;
  try {
    writeFileSync(fresh, emptyEnvironment(pageSize()), { mode: 0o664, flush: true });
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

/** The two pages that LMDB begins a file with. Positions: MDB_page and MDB_meta in LMDB's mdb.c. */
export function emptyEnvironment(size: number): Buffer {
  const bytes = Buffer.alloc(2 * size);
  for (let page = 0; page < 2; page++) {
    const at = page * size;
    bytes.writeBigUInt64LE(BigInt(page), at);
    bytes.writeUInt16LE(META_FLAG, at + 18);
    bytes.writeUInt32LE(MAGIC, at + 24);
    bytes.writeUInt32LE(VERSION, at + 28);
    bytes.writeBigUInt64LE(BigInt(FIRST_MAP_BYTES), at + 40);
    bytes.writeUInt32LE(size, at + 48);
    bytes.writeUInt16LE(INTEGER_KEYS, at + 52);
    bytes.writeBigUInt64LE(NO_ROOT, at + 88);
    bytes.writeBigUInt64LE(NO_ROOT, at + 136);
    bytes.writeBigUInt64LE(1n, at + 144);
  }
  return bytes;
}

/** That of the memory, as LMDB takes it: type 6 in the kernel's list of pairs for the process. */
function pageSize(): number {
  try {
    const pairs = readFileSync('/proc/self/auxv');
    for (let at = 0; at + 16 <= pairs.length; at += 16) {
      if (pairs.readBigUInt64LE(at) === 6n) return Number(pairs.readBigUInt64LE(at + 8));
    }
  } catch {
    // no /proc
  }
  return DEFAULT_PAGE_SIZE;
}
