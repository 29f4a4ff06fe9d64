/** Read models in this process' memory: the readable reference, for tests of applications. */
import { Closed } from '../../../event/store-errors.ts';
import type {
  Checkpoint,
  CommitOutcome,
  ReadModelCommit,
  ReadModels,
} from '../../../read-models/read-models.ts';
import { checkCommit, checkRowKey, checkTable } from '../../../read-models/rules.ts';

interface Table {
  readonly rows: Map<string, string>;
  checkpoint: Checkpoint;
}

/** {@link ReadModels} that live and die with this process. */
export class MemoryReadModels implements ReadModels {
  readonly #tables = new Map<string, Table>();
  #closed = false;

  async checkpoint(table: string): Promise<Checkpoint | null> {
    this.#mustBeOpen();
    return this.#tables.get(checkTable(table))?.checkpoint ?? null;
  }

  async get(table: string, keys: readonly string[]): Promise<readonly (string | null)[]> {
    this.#mustBeOpen();
    const rows = this.#tables.get(checkTable(table))?.rows;
    for (const key of keys) checkRowKey(key);
    return keys.map((key) => rows?.get(key) ?? null);
  }

  async commit(name: string, commit: ReadModelCommit): Promise<CommitOutcome> {
    this.#mustBeOpen();
    checkTable(name);
    checkCommit(commit);
    const { changes, expected, next, token } = commit;
    const table = this.#tables.get(name);
    if (table !== undefined && table.checkpoint.token > token) return 'fenced';
    if ((table?.checkpoint.cursor ?? null) !== expected) return 'changed';
    const rows = table?.rows ?? new Map<string, string>();
    for (const [key, text] of changes) {
      if (text === null) rows.delete(key);
      else rows.set(key, text);
    }
    this.#tables.set(name, { rows, checkpoint: { cursor: next, token } });
    return 'committed';
  }

  async *rows(table: string): AsyncGenerator<readonly [key: string, text: string]> {
    this.#mustBeOpen();
    for (const row of [...(this.#tables.get(checkTable(table))?.rows ?? [])]) {
      this.#mustBeOpen();
      yield row;
    }
  }

  async drop(table: string): Promise<void> {
    this.#mustBeOpen();
    this.#tables.delete(checkTable(table));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Closed('the store of read models');
  }
}
