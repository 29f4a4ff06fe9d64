/**
 * A folder with an LMDB environment in it: who may open it, how it is opened, how it is written.
 * What is kept in it is not its business: the event log (and later the records) bring their own
 * databases, and write through the same {@link GroupCommit}, so that both can share a transaction.
 *
 *   folder/
 *     millrace.lock   who has the folder open (see folder-lock.ts)
 *     data.mdb        the environment (data.mdb.new: one that was being made)
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
import { Unavailable } from '../../event/store-errors.ts';
import { endDamagedProcess } from './damaged-process.ts';
import { checkDataFiles } from './data-file.ts';
import { DiskSpace, freeOnDisk } from './disk-space.ts';
import { FolderLock } from './folder-lock.ts';
import { GroupCommit } from './group-commit.ts';
import { makeFiles } from './new-files.ts';
import type { KeyCodec, MapView, OrderedMap, ValueReader } from './ordered-map.ts';
import { describeProblem, StoreUnusable } from './store-errors.ts';
import { StoreWriter } from './store-writer.ts';
import { overran, tameWriteErrors } from './write-error-text.ts';

/** Raised when the layout changes in a way that older versions cannot read. */
const FORMAT = 'millrace 2';
const MAX_DATABASES = 32;

/** How long the disk is waited for when an open store is given up, in milliseconds. */
const OPEN_PATIENCE = 5_000;

export class EmbeddedStore {
  readonly folder: string;
  readonly commits: GroupCommit;
  readonly #root: RootDatabase;
  readonly #lock: FolderLock;
  readonly #space: DiskSpace;
  readonly #writer: StoreWriter;
  #closing: Promise<void> | undefined;
  #users = 0;

  private constructor(folder: string, root: RootDatabase, lock: FolderLock, space: DiskSpace) {
    this.folder = folder;
    this.#root = root;
    this.#lock = lock;
    this.#space = space;
    this.#writer = new StoreWriter(folder, root);
    this.commits = new GroupCommit(this.#writer, space);
  }

  /**
   * Opens the store in `folder`, which is made if it is not there.
   * @throws StoreLocked, StoreUnusable
   */
  static async open(folder: string): Promise<EmbeddedStore> {
    const path = resolve(folder);
    let lock: FolderLock | undefined;
    let root: RootDatabase | undefined;
    try {
      makeFolder(path);
      lock = FolderLock.acquire(path);
      checkDataFiles(path);
      makeFiles(path);
      root = openEnvironment(path);
      const space = new DiskSpace(path, root, tameWriteErrors());
      checkFormat(path, root, space);
      // The files' own flush does not cover their names.
      flushFolder(path);
      return new EmbeddedStore(path, root, lock, space);
    } catch (error) {
      await root?.close();
      lock?.release();
      throw unusable(path, error);
    }
  }

  /**
   * Opens the store for what `make` makes on it, and closes it again when that fails: what keeps
   * something in it opens its databases, and makes those that are not there.
   */
  static async openFor<T>(folder: string, make: (store: EmbeddedStore) => T): Promise<T> {
    const store = await EmbeddedStore.open(folder);
    try {
      return make(store);
    } catch (error) {
      await store.close(OPEN_PATIENCE);
      throw unusable(store.folder, error);
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
    const { broken } = this.#writer;
    if (broken !== undefined) throw new Unavailable(broken);
    const encoder = { encode: (bytes: Uint8Array) => bytes, decode: read };
    const options = { name, keyEncoder: keys, encoder };
    try {
      if (!this.#root.doesExist(name)) this.#space.mustHaveRoom();
      return this.#root.openDB(options);
    } catch (error) {
      const failure = unusable(this.folder, error);
      this.#writer.stop(failure.message);
      throw failure;
    }
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

function checkFormat(path: string, root: Database, space: DiskSpace): void {
  const format: unknown = root.get('format');
  if (format === FORMAT) return;
  if (format === undefined && isEmpty(root)) {
    space.mustHaveRoom();
    root.putSync('format', FORMAT);
    return;
  }
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

/** What `error` means to who opens the store in `folder`. */
function unusable(folder: string, error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const problem = describeProblem(error, freeOnDisk(folder));
  if (overran(error)) endDamagedProcess(`the store folder ${folder} cannot be used: ${problem}`);
  return new StoreUnusable(folder, problem, { cause: error });
}

/** Reads, and throws as {@link readFailure}. */
export function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw readFailure(error);
  }
}

/** Wraps what LMDB throws while reading. */
export function readFailure(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  return new Unavailable(`reading failed: ${describeProblem(error)}`, { cause: error });
}
