/**
 * One process, one open store a folder.
 *
 * The lock is one of the operating system's, on an open file (Linux: an open-file-description lock).
 * It ends with the process however that ends, so neither `kill -9` nor a container restart leaves
 * it behind, and a process ID that was given to somebody else cannot fool it. What the file holds
 * (the owner's process ID) is for the error message alone.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { tryLock } from 'fs-native-extensions';
import { StoreLocked } from './store-errors.ts';

const LOCK_FILE = 'millrace.lock';

export class FolderLock {
  readonly #descriptor: number;
  #released = false;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** @throws StoreLocked when another store, in this process or another one, has the folder. */
  static acquire(folder: string): FolderLock {
    const path = join(folder, LOCK_FILE);
    // Not truncated on opening: it may be somebody else's.
    const descriptor = openSync(path, 'a+', 0o600);
    try {
      if (!tryLock(descriptor)) throw new StoreLocked(folder, ownerIn(path));
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    sign(descriptor);
    return new FolderLock(descriptor);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    closeSync(this.#descriptor);
  }
}

function sign(descriptor: number): void {
  try {
    ftruncateSync(descriptor);
    writeSync(descriptor, `${process.pid}\n`);
  } catch {
    // On a full disk the lock is as good without the name.
  }
}

function ownerIn(path: string): number | undefined {
  const pid = Number.parseInt(readFileSync(path, 'latin1'), 10);
  return Number.isSafeInteger(pid) ? pid : undefined;
}
