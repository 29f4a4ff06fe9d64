/**
 * The contract for what projections write: tables of rows, each with a checkpoint that says how
 * much of the feed its rows hold. Rows and checkpoint change in one step, so that after a crash
 * they never disagree, and each event counts exactly once.
 *
 *   table    rows              checkpoint
 *   ──────   ───────────────   ──────────────────────────────────────────────────────────
 *   name     key → JSON text   cursor: up to where the feed was counted in
 *                              token: of the lease under which that was written (the fence)
 *
 * The stores implement it (`redis/`, `embedded/`, `memory/`), and applications may, for a
 * database of their own; all pass one suite, `src/testing/contract/read-models/`. What rows mean
 * and who may write them is `projection/`'s business.
 */

/** How much of the feed a table holds. */
export interface Checkpoint {
  /** A cursor of the feed. */
  readonly cursor: string;
  /** The greatest token that was ever committed with. */
  readonly token: number;
}

/** One step of a table. */
export interface ReadModelCommit {
  /** Rows by their keys, as JSON text; `null` removes one, there or not. */
  readonly changes: ReadonlyMap<string, string | null>;
  /** The cursor that the table must be at; `null` for a table that must not have been begun. */
  readonly expected: string | null;
  /** The cursor that it is at then. */
  readonly next: string;
  /** The writer's token, a whole number above 0. */
  readonly token: number;
}

/**
 *  committed   all of it was done
 *  fenced      nothing was: somebody with a greater token has committed
 *  changed     nothing was: the table is not at `expected`
 */
export type CommitOutcome = 'committed' | 'fenced' | 'changed';

/**
 * Tables of rows. Table names are 1 to 200 characters of `A-Z a-z 0-9 . _ : @ -`; row keys are
 * well-formed text of 1 to 1,024 bytes.
 */
export interface ReadModel {
  /**
   * Where the table is; `null` for one that was not begun, or was dropped.
   * @throws InvalidInput, WrongType, Unavailable, Closed
   */
  checkpoint(table: string): Promise<Checkpoint | null>;

  /**
   * The rows under these keys, in their order; `null` for each that is not there.
   * @throws as checkpoint
   */
  get(table: string, keys: readonly string[]): Promise<readonly (string | null)[]>;

  /**
   * Writes rows and checkpoint, all or nothing, at one moment for every reader of one row. The
   * token is looked at first, then `expected`. Resolves once it is as durable as the store is
   * configured to make it.
   * @throws InvalidInput (`too_large` when one commit cannot take so much: make it smaller),
   *   WrongType, Unavailable, Closed: it did not happen; OutcomeUnknown: it may have, and
   *   {@link checkpoint} tells
   */
  commit(table: string, commit: ReadModelCommit): Promise<CommitOutcome>;

  /**
   * All rows, in no promised order, each key once. Rows that are changed meanwhile come as they
   * were or as they are; those that come or go meanwhile, perhaps.
   * @throws as checkpoint
   */
  rows(table: string): AsyncIterable<readonly [key: string, text: string]>;

  /**
   * Removes the table, rows and checkpoint, at one moment; no harm when it is not there. What
   * commits upon it afterwards finds a table that was not begun.
   * @throws as commit
   */
  drop(table: string): Promise<void>;
}

/** The read models of a store that was opened. */
export interface ReadModels extends ReadModel {
  /** Takes no more work, lets what is under way come to its end, and frees everything. */
  close(): Promise<void>;
}
