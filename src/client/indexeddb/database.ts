/**
 * IndexedDB with promises, and a connection that is made again where the browser has dropped it.
 *
 * A transaction ends by itself once a callback of one of its requests has returned and nothing more is
 * asked of it. What follows an `await` of {@link answer} still runs within that callback; after any
 * other `await` (a timer, `fetch`, another transaction) it is over. So the body of a transaction awaits
 * its own requests, and nothing else.
 *
 *     closed ──► open ──► closed by the browser (storage cleared, process lost) ──► open again
 *                  └────► ended: its data is removed, a newer page is here, or `end` was called
 */
import { MillraceError } from '../../event/error.ts';
import { LAYOUT_VERSION, layOut } from './layout.ts';

/** What a request answers. */
export function answer<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** The stores of a transaction. */
export type Stores = (name: string) => IDBObjectStore;

export type Body<Result> = (store: Stores) => Promise<Result>;

/** Errors of a connection that is lost. Nothing of the transaction is kept, so it may be repeated. */
const LOST = ['AbortError', 'InvalidStateError', 'UnknownError'];

const REMOVED = 'was removed';

export class Database {
  readonly #factory: IDBFactory;
  readonly #name: string;
  #connection: Promise<IDBDatabase> | undefined;
  #ended: string | undefined;

  constructor(factory: IDBFactory, name: string) {
    this.#factory = factory;
    this.#name = name;
  }

  read<Result>(stores: readonly string[], body: Body<Result>): Promise<Result> {
    return this.#run(stores, 'readonly', 'default', body);
  }

  /**
   * Keeps all that the body changes, or nothing when it throws or rejects. Bodies of calls after one another run in
   * that order. A body may run twice: what it changes outside of the database is its own business.
   * @param durability `strict`: it survives a loss of power, once this has resolved
   */
  change<Result>(
    stores: readonly string[],
    durability: 'strict' | 'relaxed',
    body: Body<Result>,
  ): Promise<Result> {
    return this.#run(stores, 'readwrite', durability, body);
  }

  end(why: string): void {
    this.#ended ??= why;
    this.#drop(this.#connection);
  }

  /** Removes the database, whoever has it open. */
  async remove(): Promise<void> {
    // Emptied first: that waits for nobody, while a tab that is frozen holds up what follows.
    await this.#empty().catch(() => {});
    this.end(REMOVED);
    await new Promise<void>((resolve, reject) => {
      const request = this.#factory.deleteDatabase(this.#name);
      request.onsuccess = () => resolve();
      // It is done as soon as they wake, and before anybody opens it again.
      request.onblocked = () => resolve();
      request.onerror = () => reject(request.error);
    });
  }

  async #empty(): Promise<void> {
    const database = await this.#open();
    await this.change([...database.objectStoreNames], 'strict', async (store) => {
      for (const name of database.objectStoreNames) store(name).clear();
    });
  }

  async #run<Result>(
    stores: readonly string[],
    mode: IDBTransactionMode,
    durability: IDBTransactionDurability,
    body: Body<Result>,
  ): Promise<Result> {
    for (let isRepeated = false; ; isRepeated = true) {
      const connection = this.#open();
      try {
        const transaction = (await connection).transaction(stores, mode, { durability });
        return await completed(transaction, body);
      } catch (error) {
        if (isRepeated || !LOST.includes(nameOf(error))) throw error;
        this.#drop(connection);
      }
    }
  }

  #open(): Promise<IDBDatabase> {
    if (this.#connection !== undefined) return this.#connection;
    const connection = this.#connect();
    this.#connection = connection;
    // What could not be opened is tried again by whoever comes next.
    connection.catch(() => this.#drop(connection));
    return connection;
  }

  async #connect(): Promise<IDBDatabase> {
    this.#check();
    const request = this.#factory.open(this.#name, LAYOUT_VERSION);
    request.onupgradeneeded = () => layOut(request.result);
    const database = await answer(request);
    database.onversionchange = ({ newVersion }) =>
      this.end(newVersion === null ? REMOVED : 'is in use by a newer page: reload this one');
    const connection = this.#connection;
    database.onclose = () => this.#drop(connection);
    if (this.#ended !== undefined) database.close();
    this.#check();
    return database;
  }

  #check(): void {
    if (this.#ended !== undefined) throw closed(this.#ended);
  }

  #drop(connection: Promise<IDBDatabase> | undefined): void {
    connection?.then((database) => database.close()).catch(() => {});
    if (this.#connection === connection) this.#connection = undefined;
  }
}

function closed(why: string): MillraceError {
  return new MillraceError('closed', `what was kept on this device ${why}`);
}

/** Another tab is removing all of it right now. */
export function removed(): MillraceError {
  return closed(REMOVED);
}

async function completed<Result>(transaction: IDBTransaction, body: Body<Result>): Promise<Result> {
  const complete = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () =>
      reject(transaction.error ?? new DOMException('the transaction was aborted', 'AbortError'));
  });
  try {
    const store = (name: string) => transaction.objectStore(name);
    return (await Promise.all([body(store), complete]))[0];
  } catch (error) {
    try {
      transaction.abort();
    } catch {
      // It has ended already.
    }
    // Why it was aborted says more than that a request of it was.
    throw transaction.error ?? error;
  }
}

export function isQuota(error: unknown): boolean {
  return nameOf(error) === 'QuotaExceededError';
}

/** Of a DOMException, whose class is not the same everywhere. */
function nameOf(error: unknown): string {
  return String((error as Partial<Error> | null)?.name);
}
