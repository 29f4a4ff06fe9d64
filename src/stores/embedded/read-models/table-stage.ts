/** What the work of one commit has changed about tables, on top of what is on the disk. */

import type { CommitOutcome, ReadModelCommit } from '../../../read-models/read-models.ts';
import type { Stage, WriteBatch } from '../group-commit.ts';
import {
  LAST_NUMBER,
  NOTHING,
  type ReadModelDatabases,
  type TableHead,
  writeHead,
  writeText,
} from './layout.ts';

export class TableStage implements Stage {
  readonly #databases: ReadModelDatabases;
  readonly #heads = new Map<string, TableHead | undefined>();

  constructor(databases: ReadModelDatabases) {
    this.#databases = databases;
  }

  /** Stages all of it, or nothing. */
  commit(batch: WriteBatch, table: string, commit: ReadModelCommit): CommitOutcome {
    const { changes, expected, next, token } = commit;
    const head = this.#look(table);
    if (head !== undefined && head.token > token) return 'fenced';
    if ((head?.cursor ?? null) !== expected) return 'changed';
    const number = head?.number ?? this.#newNumber();
    const { rows } = this.#databases;
    for (const [key, text] of changes) {
      if (text === null) batch.remove(rows, [number, key] as const);
      else batch.put(rows, [number, key] as const, writeText(text));
    }
    this.#heads.set(table, { number, token, cursor: next });
    return 'committed';
  }

  /** @returns the number whose rows are to be deleted */
  drop(batch: WriteBatch, table: string): number | undefined {
    const head = this.#look(table);
    if (head === undefined) return undefined;
    this.#heads.set(table, undefined);
    batch.put(this.#databases.drops, head.number, NOTHING);
    return head.number;
  }

  flush(batch: WriteBatch): void {
    const { tables } = this.#databases;
    for (const [table, head] of this.#heads) {
      if (head === undefined) batch.remove(tables, table);
      else batch.put(tables, table, writeHead(head));
    }
  }

  settle(): void {}

  #look(table: string): TableHead | undefined {
    return this.#heads.has(table) ? this.#heads.get(table) : this.#databases.tables.get(table);
  }

  #newNumber(): number {
    const number = (this.#look(LAST_NUMBER)?.number ?? 0) + 1;
    this.#heads.set(LAST_NUMBER, { number, token: 0, cursor: '' });
    return number;
  }
}
