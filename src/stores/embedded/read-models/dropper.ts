/**
 * Deletes the rows of tables that were dropped, a chunk at a time, between the appends. Without
 * its name nobody finds the table any more. What is still to be done is in the database
 * `read_model_drops`, so that it goes on after a crash.
 */

import { Closed } from '../../../event/store-errors.ts';
import type { GroupCommit, WriteBatch } from '../group-commit.ts';
import type { ReadModelDatabases } from './layout.ts';

/** How many rows go in one transaction. */
const CHUNK = 500;

/** After how many milliseconds a deletion that failed is tried again. */
const RETRY = 1_000;
const LAST = 0xffff_ffff;

export class Dropper {
  readonly #databases: ReadModelDatabases;
  readonly #commits: GroupCommit;
  readonly #pending = new Set<number>();
  #busy = false;
  #stopped = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(databases: ReadModelDatabases, commits: GroupCommit) {
    this.#databases = databases;
    this.#commits = commits;
  }

  /** Goes on with what an earlier process left. */
  resume(): void {
    const range = { start: 0, end: LAST, inclusiveEnd: true };
    for (const table of this.#databases.drops.getKeys(range)) this.#pending.add(table);
    this.#next();
  }

  /** The table with this number has lost its name, on the disk. */
  add(table: number): void {
    this.#pending.add(table);
    this.#next();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
  }

  #next(): void {
    const [table] = this.#pending;
    if (this.#busy || this.#stopped || table === undefined) return;
    this.#busy = true;
    let finished = false;
    this.#commits.submit({
      bytes: 0,
      frees: true,
      decide: (batch) => {
        finished = this.#deleteChunk(batch, table);
      },
      settle: () => {
        if (finished) this.#pending.delete(table);
        this.#busy = false;
        this.#next();
      },
      // Nothing is lost: what is still to be done is on the disk.
      fail: (error) => {
        this.#busy = false;
        if (!(error instanceof Closed)) this.#tryAgain();
      },
    });
  }

  #tryAgain(): void {
    if (this.#stopped) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#next(), RETRY).unref();
  }

  /** @returns whether that was the last one */
  #deleteChunk(batch: WriteBatch, table: number): boolean {
    const { rows, drops } = this.#databases;
    const range = { start: [table, ''] as const, end: [table + 1, ''] as const, limit: CHUNK };
    let count = 0;
    for (const key of rows.getKeys(range)) {
      batch.remove(rows, key);
      count += 1;
    }
    if (count === CHUNK) return false;
    batch.remove(drops, table);
    return true;
  }
}
