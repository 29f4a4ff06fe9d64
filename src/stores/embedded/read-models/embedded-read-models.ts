/**
 * Read models in a folder of this machine, in the LMDB environment of the event log: they share
 * its commits and its flushes. How they are laid out: layout.ts. What a commit is worth:
 * ../../log/embedded/embedded-store.ts.
 */

import { Closed } from '../../../event/store-errors.ts';
import type {
  Checkpoint,
  CommitOutcome,
  ReadModelCommit,
  ReadModels,
} from '../../../read-models/read-models.ts';
import { checkCommit, checkRowKey, checkTable } from '../../../read-models/rules.ts';
import { EmbeddedStore, readFailure } from '../embedded-store.ts';
import type { WriteBatch } from '../group-commit.ts';
import { ReadTurns } from '../read-turns.ts';
import { Dropper } from './dropper.ts';
import { openReadModelDatabases, type ReadModelDatabases } from './layout.ts';
import { TableStage } from './table-stage.ts';

/** How long {@link EmbeddedReadModels.close} waits for the disk, in milliseconds. */
const CLOSE_PATIENCE = 5_000;

/** How many rows are read at a time when all are asked for. */
const STEP = 1_000;

/** {@link ReadModels} in a folder. A change is acknowledged when it is on the disk. */
export class EmbeddedReadModels implements ReadModels {
  readonly #store: EmbeddedStore;
  readonly #databases: ReadModelDatabases;
  readonly #dropper: Dropper;
  readonly #reads = new ReadTurns();
  readonly #leave: (patience: number) => Promise<void>;
  #closed = false;

  private constructor(store: EmbeddedStore) {
    this.#store = store;
    this.#leave = store.use();
    this.#databases = openReadModelDatabases(store);
    this.#dropper = new Dropper(this.#databases, store.commits);
    this.#dropper.resume();
  }

  /**
   * Opens the read models in `folder`, which is made if it is not there. Together with an event
   * log: `openStore`.
   * @throws StoreLocked, StoreUnusable
   */
  static async open(folder: string): Promise<EmbeddedReadModels> {
    return EmbeddedStore.openFor(folder, (store) => new EmbeddedReadModels(store));
  }

  /**
   * The read models in a store that is open already, and shared with others.
   * @internal
   */
  static on(store: EmbeddedStore): EmbeddedReadModels {
    return new EmbeddedReadModels(store);
  }

  async checkpoint(table: string): Promise<Checkpoint | null> {
    checkTable(table);
    return this.#read(() => {
      const head = this.#databases.tables.get(table);
      return head === undefined ? null : { cursor: head.cursor, token: head.token };
    });
  }

  async get(table: string, keys: readonly string[]): Promise<readonly (string | null)[]> {
    checkTable(table);
    for (const key of keys) checkRowKey(key);
    return this.#read(() => {
      const head = this.#databases.tables.get(table);
      if (head === undefined) return keys.map(() => null);
      return keys.map((key) => this.#databases.rows.get([head.number, key]) ?? null);
    });
  }

  async commit(table: string, commit: ReadModelCommit): Promise<CommitOutcome> {
    checkTable(table);
    const size = checkCommit(commit);
    let outcome: CommitOutcome;
    await this.#change(size, (batch) => {
      outcome = this.#stage(batch).commit(batch, table, commit);
    });
    return outcome!;
  }

  async *rows(table: string): AsyncGenerator<readonly [key: string, text: string]> {
    checkTable(table);
    const head = await this.#read(() => this.#databases.tables.get(table));
    let last: string | undefined = head === undefined ? undefined : '';
    while (head !== undefined && last !== undefined) {
      const start: string = last;
      const some = await this.#read(() => [
        ...this.#databases.rows.getRange({
          start: [head.number, start],
          exclusiveStart: true,
          end: [head.number + 1, ''],
          limit: STEP,
        }),
      ]);
      for (const { key, value } of some) yield [key[1], value];
      last = some.length < STEP ? undefined : some[some.length - 1]!.key[1];
    }
  }

  async drop(table: string): Promise<void> {
    checkTable(table);
    let number: number | undefined;
    await this.#change(0, (batch) => {
      number = this.#stage(batch).drop(batch, table);
    });
    if (number !== undefined) this.#dropper.add(number);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#dropper.stop();
    return this.#leave(CLOSE_PATIENCE);
  }

  async #read<T>(read: () => T): Promise<T> {
    this.#mustBeOpen();
    try {
      return await this.#reads.run(() => {
        this.#mustBeOpen();
        return read();
      });
    } catch (error) {
      throw readFailure(error);
    }
  }

  #change(bytes: number, decide: (batch: WriteBatch) => void): Promise<void> {
    this.#mustBeOpen();
    return new Promise((resolve, reject) => {
      this.#store.commits.submit({
        bytes,
        frees: bytes === 0,
        decide,
        settle: resolve,
        fail: (error) => reject(readFailure(error)),
      });
    });
  }

  #stage(batch: WriteBatch): TableStage {
    return batch.stage(this, () => new TableStage(this.#databases));
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Closed('the store of read models');
  }
}
