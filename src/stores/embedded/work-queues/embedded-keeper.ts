/** Keeps one group's progress in LMDB. */
import type { LogName } from '../../../event/log-name.ts';
import type { KeptLog } from '../../../work-queues/kept-log.ts';
import type { GroupKeeper } from '../../../work-queues/local-group.ts';
import { type EmbeddedStore, readFailure, reading } from '../embedded-store.ts';
import type { WriteBatch } from '../group-commit.ts';
import type { Databases, LogHead } from '../layout.ts';
import { encode, type WorkDatabases } from './layout.ts';

/** How many logs a transaction writes at most. */
const WRITE_STEP = 2_000;

export class EmbeddedKeeper implements GroupKeeper {
  readonly #group: string;
  readonly #store: EmbeddedStore;
  readonly #event: Databases;
  readonly #work: WorkDatabases;

  constructor(group: string, store: EmbeddedStore, event: Databases, work: WorkDatabases) {
    this.#group = group;
    this.#store = store;
    this.#event = event;
    this.#work = work;
  }

  /** All logs there are. */
  backlog(category: string): (readonly [LogName, LogHead])[] {
    // Names are ASCII, and nothing in them comes after '~'.
    const start = (category === '' ? '' : `${category}:`) as LogName;
    const range = { start, end: `${start}~` as LogName };
    return reading(() =>
      Array.from(this.#event.logs.getRange(range), ({ key, value }) => [key, value]),
    );
  }

  read(log: LogName): KeptLog | undefined {
    return reading(() => this.#work.logs.get([this.#group, log]));
  }

  async write(changes: readonly (readonly [LogName, KeptLog])[]): Promise<void> {
    for (let start = 0; start < changes.length; start += WRITE_STEP) {
      const step = changes.slice(start, start + WRITE_STEP);
      await commit(this.#store, (batch) => {
        for (const [log, kept] of step) {
          batch.put(this.#work.logs, [this.#group, log], encode(kept));
        }
      });
    }
  }
}

/** One piece of work for the store's shared commit. */
export function commit(store: EmbeddedStore, decide: (batch: WriteBatch) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    store.commits.submit({
      bytes: 0,
      decide,
      settle: resolve,
      fail: (error) => reject(readFailure(error)),
    });
  });
}
