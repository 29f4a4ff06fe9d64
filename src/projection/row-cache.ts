/**
 * States of rows between pages, so that a row is not read again for every page. Bounded: rows that
 * were used least lately go first, in two generations (all of the older one at once), which costs
 * nothing for each use.
 */

/** How many rows, and how much text of them, are kept in each of the two generations. */
export interface CacheBounds {
  readonly rows: number;
  /** In UTF-16 units of their JSON texts. */
  readonly size: number;
}

export const DEFAULT_CACHE_BOUNDS: CacheBounds = { rows: 100_000, size: 33_554_432 };

export interface Row<State> {
  readonly key: string;
  /** Undefined when the row is not there. */
  state: State | undefined;
  loaded: boolean;
  /** Its key keeps to the rules. */
  checked: boolean;
  /** It differs from what was committed, or is being committed. */
  changed: boolean;
  /** The length of its JSON text when it was last made or read. */
  size: number;
}

export class RowCache<State> {
  readonly #bounds: CacheBounds;
  #young = new Map<string, Row<State>>();
  #old = new Map<string, Row<State>>();
  #youngSize = 0;
  #complete = false;

  constructor(bounds: CacheBounds = DEFAULT_CACHE_BOUNDS) {
    this.#bounds = bounds;
  }

  /** The row, which may have to be loaded. */
  row(key: string): Row<State> {
    let row = this.#young.get(key);
    if (row !== undefined) return row;
    row = this.#old.get(key);
    if (row === undefined) {
      const loaded = this.#complete;
      row = { key, state: undefined, loaded, checked: false, changed: false, size: 0 };
    } else {
      this.#old.delete(key);
    }
    this.#young.set(key, row);
    this.#youngSize += row.size + key.length;
    return row;
  }

  /** The JSON text of a row has this length now. */
  resize(row: Row<State>, size: number): void {
    this.#youngSize += size - row.size;
    row.size = size;
  }

  /** Between pages: lets go of what is too much. */
  settle(): void {
    if (this.#young.size <= this.#bounds.rows && this.#youngSize <= this.#bounds.size) return;
    if (this.#old.size > 0) this.#complete = false;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngSize = 0;
  }

  /** @param empty there are no rows at all: what is not in here is nowhere */
  clear(empty: boolean): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngSize = 0;
    this.#complete = empty;
  }
}
