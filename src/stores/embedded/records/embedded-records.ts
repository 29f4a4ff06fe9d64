/**
 * Records in a folder of this machine, in the LMDB environment of the event log: both share one
 * commit, and one flush. How they are laid out: layout.ts. What a commit is worth:
 * ../../log/embedded/embedded-store.ts.
 */

import { Closed } from '../../../event/store-errors.ts';
import { BatchRecords } from '../../../records/batch-records.ts';
import { decide, lives } from '../../../records/decide.ts';
import type { Change, Committed } from '../../../records/records.ts';
import { EmbeddedStore, readFailure } from '../embedded-store.ts';
import { openRecordDatabases, type RecordDatabases } from './layout.ts';
import { RecordStage } from './record-stage.ts';

/** How long {@link EmbeddedRecords.close} waits for the disk, in milliseconds. */
const CLOSE_PATIENCE = 5_000;

export interface EmbeddedRecordsOptions {
  /** The time in milliseconds since 1970; times to live go by it. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

/** {@link Records} in a folder. A change is acknowledged when it is on the disk. */
export class EmbeddedRecords extends BatchRecords {
  readonly #store: EmbeddedStore;
  readonly #databases: RecordDatabases;
  readonly #clock: () => number;
  readonly #leave: (patience: number) => Promise<void>;
  #closed = false;

  private constructor(store: EmbeddedStore, { clock = Date.now }: EmbeddedRecordsOptions) {
    super();
    this.#store = store;
    this.#leave = store.use();
    this.#clock = () => Math.floor(clock());
    this.#databases = openRecordDatabases(store);
  }

  /**
   * Opens the records in `folder`, which is made if it is not there. Together with an event log:
   * `openStore`.
   * @throws StoreLocked, StoreUnusable
   */
  static async open(
    folder: string,
    options: EmbeddedRecordsOptions = {},
  ): Promise<EmbeddedRecords> {
    return EmbeddedStore.openFor(folder, (store) => new EmbeddedRecords(store, options));
  }

  /**
   * The records in a store that is open already, and shared with others.
   * @internal
   */
  static on(store: EmbeddedStore, options: EmbeddedRecordsOptions = {}): EmbeddedRecords {
    return new EmbeddedRecords(store, options);
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#leave(CLOSE_PATIENCE);
  }

  protected async read(key: string): Promise<string | null> {
    this.#mustBeOpen();
    try {
      const kept = this.#databases.records.get(key);
      return lives(kept, this.#clock()) ? kept.value : null;
    } catch (error) {
      throw readFailure(error);
    }
  }

  protected async commit(changes: readonly Change[], bytes: number): Promise<Committed> {
    this.#mustBeOpen();
    let outcome: Committed;
    return new Promise((resolve, reject) => {
      this.#store.commits.submit({
        bytes,
        decide: (batch) => {
          const now = this.#clock();
          const stage = batch.stage(this, () => new RecordStage(this.#databases, now));
          const decision = decide(changes, (key) => stage.look(key), now);
          for (const write of decision.writes) stage.change(write);
          outcome = decision.outcome;
        },
        settle: () => resolve(outcome),
        fail: (error) => reject(readFailure(error)),
      });
    });
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Closed('the store of records');
  }
}
