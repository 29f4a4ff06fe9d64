/** A browser's database that does on demand what browsers do: loses connections, has no room, refuses. */
import { forceCloseDatabase, IDBFactory, IDBObjectStore } from 'fake-indexeddb';
import { vi } from 'vitest';
import { type IndexedDbOptions, indexedDb } from '../../../../src/client/indexeddb/indexeddb.ts';
import type { NewEntry } from '../../../../src/client/outbox/entry.ts';
import { randomId } from '../../../../src/client/outbox/mark.ts';
import type { LogName } from '../../../../src/event/log-name.ts';

export class Browser {
  readonly factory = new IDBFactory();
  readonly connections: IDBDatabase[] = [];
  /** How durable each transaction is that was for writing, in their order. */
  readonly written: (string | undefined)[] = [];

  constructor() {
    const open = this.factory.open.bind(this.factory);
    this.factory.open = (name, version) => {
      const request = open(name, version);
      request.addEventListener('success', () => this.#watch(request.result));
      return request;
    };
  }

  /** A tab. */
  device(options: IndexedDbOptions = {}) {
    return indexedDb({ factory: this.factory, ...options }).open('https://events.example', '1');
  }

  /** As when the data of a site is cleared, or the process of the database is lost. */
  closeAll(): void {
    for (const connection of this.connections.splice(0)) {
      forceCloseDatabase(connection as unknown as Parameters<typeof forceCloseDatabase>[0]);
    }
  }

  #watch(database: IDBDatabase): void {
    this.connections.push(database);
    const transaction = database.transaction.bind(database);
    database.transaction = (names, mode, options) => {
      if (mode === 'readwrite') this.written.push(options?.durability);
      return transaction(names, mode, options);
    };
  }
}

/**
 * Aborts transactions as soon as they have written to one of the stores: all else of them is undone.
 * @param error what the browser says about it
 * @param times so often, then it works again
 */
export function abortWrites(stores: readonly string[], error: string, times = 1) {
  let left = times;
  const spies = (['put', 'add'] as const).map((name) => {
    const real = IDBObjectStore.prototype[name];
    return vi.spyOn(IDBObjectStore.prototype, name).mockImplementation(function (
      this: IDBObjectStore,
      ...parameters
    ) {
      const request = real.apply(this, parameters as Parameters<typeof real>);
      if (stores.includes(this.name) && left > 0) {
        left -= 1;
        request.addEventListener('success', () => {
          (this.transaction as unknown as { _abort(error: string): void })._abort(error);
        });
      }
      return request;
    });
  });
  return {
    /** How many were aborted. */
    get count() {
      return times - left;
    },
    end: () => {
      for (const spy of spies) spy.mockRestore();
    },
  };
}

export function newEntry(text = 'hi', log = 'account:1'): NewEntry {
  const events = [{ type: 'Said', payload: { text } }];
  return { key: randomId(), log: log as LogName, events, at: 1_700_000_000_000 };
}
