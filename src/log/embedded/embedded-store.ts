/**
 * A folder with an LMDB environment in it: who may open it, how it is opened, how it is written.
 * What is kept in it is not its business: the event log (and later the records) bring their own
 * databases, and write through the same {@link GroupCommit}, so that both can share a transaction.
 *
 *   folder/
 *     millrace.lock   who has the folder open (see folder-lock.ts)
 *     data.mdb        the environment
 *     lock.mdb        LMDB's own table of readers
 *
 * Durability. lmdb-js by default makes a transaction visible first and flushes it afterwards
 * (`overlappingSync`). We switch that off and get LMDB's own order:
 *
 *   write pages ─► fdatasync ─► write the meta page through an O_DSYNC descriptor ─► visible, done
 *
 * So nobody ever reads, or is told of, what a power cut could still take back; a failure at any
 * step before the last means that nothing happened; and when the promise of a write resolves, it
 * is on the disk. In our measurements grouped commits are as fast this way as the other.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { MillraceError } from '../../event/error.ts';
import { Unavailable } from '../errors.ts';
import { checkDataFiles } from './data-file.ts';
import { DiskSpace } from './disk-space.ts';
import { FolderLock } from './folder-lock.ts';
import { GroupCommit } from './group-commit.ts';
import type { KeyCodec, MapView, OrderedMap, ValueReader } from './ordered-map.ts';
import { describeProblem, StoreUnusable } from './store-errors.ts';
import { StoreWriter } from './store-writer.ts';

/** Raised when the layout changes in a way that older versions cannot read. */
const FORMAT = 'millrace 2';
const MAX_DATABASES = 32;

export class EmbeddedStore {
  readonly folder: string;
  readonly commits: GroupCommit;
  readonly #root: RootDatabase;
  readonly #lock: FolderLock;
  readonly #space: DiskSpace;
  #closing: Promise<void> | undefined;
  #users = 0;

  private constructor(folder: string, root: RootDatabase, lock: FolderLock) {
    this.folder = folder;
    this.#root = root;
    this.#lock = lock;
    this.#space = new DiskSpace(folder, root);
    this.commits = new GroupCommit(new StoreWriter(root), () => this.#space.room());
  }

  /**
   * Opens the store in `folder`, which is made if it is not there.
   * @throws StoreLocked, StoreUnusable
   */
  static async open(folder: string): Promise<EmbeddedStore> {
    const path = resolve(folder);
    let lock: FolderLock | undefined;
    try {
      makeFolder(path);
      lock = FolderLock.acquire(path);
      checkDataFiles(path);
      const root = openEnvironment(path);
      await checkFormat(path, root);
      // The files' own flush does not cover their names.
      flushFolder(path);
      return new EmbeddedStore(path, root, lock);
    } catch (error) {
      lock?.release();
      if (error instanceof MillraceError) throw error;
      throw new StoreUnusable(path, describeProblem(error), { cause: error });
    }
  }

  /** One named, ordered map within the environment. */
  database<Key, Value>(
    name: string,
    keys: KeyCodec<Key>,
    read: ValueReader<Value>,
  ): OrderedMap<Key, Value> {
    const database = this.#open(name, keys, read);
    this.#space.count(database);
    // The package's types know only keys of its own encoding.
    return database as unknown as OrderedMap<Key, Value>;
  }

  /** A map that is open already, read in another way. */
  view<Key, Value>(
    name: string,
    keys: KeyCodec<Key>,
    read: ValueReader<Value>,
  ): MapView<Key, Value> {
    return this.#open(name, keys, read) as unknown as MapView<Key, Value>;
  }

  #open<Key, Value>(name: string, keys: KeyCodec<Key>, read: ValueReader<Value>): Database {
    const encoder = { encode: (bytes: Uint8Array) => bytes, decode: read };
    const options = { name, keyEncoder: keys, encoder };
    return this.#root.openDB(options);
  }

  /**
   * One more user, be it the log or the records. What it answers ends that use (once, however
   * often it is called), and waits for what was submitted before; the last one closes the store.
   */
  use(): (patience: number) => Promise<void> {
    this.#users += 1;
    let ended: Promise<void> | undefined;
    return (patience) => {
      if (ended === undefined) {
        this.#users -= 1;
        ended = this.#users === 0 ? this.close(patience) : this.commits.drained();
      }
      return ended;
    };
  }

  /** Waits for the work at hand, then lets go of the folder. Never longer than `patience` milliseconds. */
  close(patience: number): Promise<void> {
    this.#closing ??= this.#close(patience);
    return this.#closing;
  }

  async #close(patience: number): Promise<void> {
    const ended = await this.commits.close(patience);
    // A write that hangs holds the environment: closing that would hang or crash. The end of the
    // process frees both, and until then nobody else may have the folder.
    if (!ended) return;
    await this.#root.close();
    this.#lock.release();
  }
}

function makeFolder(path: string): void {
  makeFolders(path);
  if (!statSync(path).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
}

/** By hand: where nothing can be made, as below /proc, Node 20's own recursive way never ends. */
function makeFolders(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    const above = dirname(path);
    if (code !== 'ENOENT' || above === path) throw error;
    makeFolders(above);
    mkdirSync(path, { mode: 0o700 });
  }
  // The new folder's name is in the one above it.
  flushFolder(dirname(path));
}

function flushFolder(path: string): void {
  if (process.platform === 'win32') return; // cannot be opened there, and needs no flush
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function openEnvironment(path: string): RootDatabase {
  return open(path, {
    noSubdir: false,
    overlappingSync: false,
    eventTurnBatching: false, // GroupCommit makes the batches
    maxDbs: MAX_DATABASES,
    encoding: 'string',
  });
}

async function checkFormat(path: string, root: Database): Promise<void> {
  const format: unknown = root.get('format');
  if (format === FORMAT) return;
  if (format === undefined && isEmpty(root)) {
    await root.put('format', FORMAT);
    return;
  }
  await root.close();
  throw new StoreUnusable(
    path,
    format === undefined
      ? 'data.mdb in it belongs to another program'
      : `it has the format ${JSON.stringify(format)}, and this version reads ${JSON.stringify(FORMAT)}; use the version of Millrace that wrote it`,
  );
}

function isEmpty(root: Database): boolean {
  for (const _ of root.getKeys({ limit: 1 })) return false;
  return true;
}

/** Wraps what LMDB throws while reading. */
export function readFailure(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  return new Unavailable(`reading failed: ${describeProblem(error)}`, { cause: error });
}
