/** Writes one batch as one LMDB transaction, and finds out what became of it. */
import type { RootDatabase } from 'lmdb';
import type { MillraceError } from '../../event/error.ts';
import { OutcomeUnknown, Unavailable } from '../../event/store-errors.ts';
import { endDamagedProcess } from './damaged-process.ts';
import { freeOnDisk } from './disk-space.ts';
import type { OrderedMap } from './ordered-map.ts';
import { describeProblem } from './store-errors.ts';
import { overran } from './write-error-text.ts';

/** One change; without a value the key is removed. */
export interface Write {
  readonly database: OrderedMap<never, unknown>;
  readonly key: unknown;
  readonly value: Uint8Array | undefined;
}

export interface BatchWriter {
  /**
   * Resolves when all of `writes` are on the disk; they become visible at that moment, together.
   * Resolves to an error when they are not: Unavailable when surely none is, OutcomeUnknown when
   * that cannot be told.
   */
  write(writes: readonly Write[]): Promise<MillraceError | undefined>;
}

export class StoreWriter implements BatchWriter {
  readonly #folder: string;
  readonly #root: RootDatabase;
  #broken: string | undefined;

  constructor(folder: string, root: RootDatabase) {
    this.#folder = folder;
    this.#root = root;
  }

  /** Why nothing more can be written until the store is opened again, if so. */
  get broken(): string | undefined {
    return this.#broken;
  }

  /** Lets nothing more be written: LMDB may refuse, and then it never lets go of its lock. */
  stop(problem: string): void {
    this.#broken ??= problem;
  }

  async write(writes: readonly Write[]): Promise<MillraceError | undefined> {
    if (this.#broken !== undefined) return new Unavailable(this.#broken);
    try {
      // Off the main thread and as a whole: lmdb-js commits no transaction within a batch, and
      // drops the transaction when one of its writes fails.
      await this.#root.batch(() => {
        for (const { database, key, value } of writes) {
          if (value === undefined) database.remove(key as never);
          else database.put(key as never, value);
        }
      });
      return undefined;
    } catch (error) {
      return this.#failure(await reasonOf(error));
    }
  }

  /**
   * Up to and including the flush of the data a failed commit leaves the old state in force. Only
   * when the last step, the meta page, fails is the outcome open, and then LMDB refuses every
   * further transaction.
   */
  #failure(reason: unknown): MillraceError {
    const problem = `writing failed: ${describeProblem(reason, freeOnDisk(this.#folder))}`;
    if (overran(reason)) endDamagedProcess(problem);
    try {
      this.#root.transactionSync(() => {});
      return new Unavailable(problem, { cause: reason });
    } catch {
      this.#broken = `${problem}; after such an error the store can be used again when it is opened again`;
      return new OutcomeUnknown(problem, { cause: reason });
    }
  }
}

/** lmdb-js rejects with a general error, and tells the reason by a second promise. */
async function reasonOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> };
  return commitError === undefined ? error : commitError.catch((reason: unknown) => reason);
}
