/**
 * A failed write of a page damages the memory of the process in lmdb-js 3: it describes the failure
 * in 100 bytes, with a text that can have 125 characters (two of its numbers are whatever lay on the
 * stack), and so overwrites what the allocator keeps behind them:
 *
 *   last_error = malloc(100);
 *   sprintf(last_error, "Attempting to write page at position %u, size %u, blocks %u, buffer sizes …
 *
 * The C library finds out sooner or later and aborts. No setting of lmdb-js takes another way, so we
 * cut the template: a NUL after "size %u" in the loaded library, in this process's own copy of that
 * page of memory. Then a failed write is an error like any other. It can be done on Linux. Elsewhere,
 * or where /proc/self/mem is closed, we stay away from full disks, and whoever gets an error whose
 * text was too long must end the process ({@link overran}).
 */
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

const KEPT = 'Attempting to write page at position %u, size %u';
const TEMPLATE = Buffer.from(`${KEPT}, blocks %u, buffer sizes %i %i %i\0`);
const CUT = Buffer.from(`${KEPT}\0`);
const START = 'Attempting to write page at position ';
/** What the text may have, with the NUL at its end. */
const BUFFER = 100;

let done: boolean | undefined;

/** Cuts the template, once in a process. @returns whether failed writes are harmless now */
export function tameWriteErrors(): boolean {
  done ??= process.platform === 'win32' || cutAll();
  return done;
}

/** Whether the description of this error has damaged the memory. */
export function overran(error: unknown): boolean {
  const { message } = error as { message?: unknown };
  if (typeof message !== 'string') return false;
  const start = message.indexOf(START);
  return start >= 0 && message.length - start >= BUFFER;
}

function cutAll(): boolean {
  if (process.platform !== 'linux') return false;
  let memory: number | undefined;
  try {
    memory = openSync('/proc/self/mem', 'r+');
    const cuts = libraryParts().map(([start, end]) => cutWithin(memory!, start, end));
    return cuts.includes(true);
  } catch {
    return false;
  } finally {
    if (memory !== undefined) closeSync(memory);
  }
}

/** Where constants of the library lie in memory. */
function libraryParts(): [start: number, end: number][] {
  const lines = readFileSync('/proc/self/maps', 'latin1').split('\n');
  return lines
    .filter((line) => /^\S+ r-[x-]p .*lmdb.*\.node$/.test(line))
    .map((line) => {
      const [start, end] = line.split(' ', 1)[0]!.split('-');
      return [Number.parseInt(start!, 16), Number.parseInt(end!, 16)];
    });
}

function cutWithin(memory: number, start: number, end: number): boolean {
  const bytes = Buffer.allocUnsafe(end - start);
  if (readSync(memory, bytes, 0, bytes.length, start) !== bytes.length) return false;
  if (bytes.includes(CUT)) return true; // by another thread
  const at = bytes.indexOf(TEMPLATE);
  if (at < 0) return false;
  return writeSync(memory, CUT, 0, CUT.length, start + at) === CUT.length;
}
