/** Rows of projections in SQLite: how to keep a read model in a database of one's own. */
import Database from 'libsql';
import type {
  Checkpoint,
  CommitOutcome,
  ReadModel,
  ReadModelCommit,
} from '../../src/read-models/read-models.ts';

export class SqliteReadModel implements ReadModel {
  readonly #database: Database.Database;

  constructor(file: string) {
    this.#database = new Database(file);
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA busy_timeout = 5000;
      CREATE TABLE IF NOT EXISTS checkpoints (name TEXT PRIMARY KEY, cursor TEXT, token INTEGER);
      CREATE TABLE IF NOT EXISTS rows (name TEXT, key TEXT, text TEXT, PRIMARY KEY (name, key));
    `);
  }

  async checkpoint(table: string): Promise<Checkpoint | null> {
    return this.#checkpoint(table) ?? null;
  }

  async get(table: string, keys: readonly string[]): Promise<readonly (string | null)[]> {
    const select = this.#database.prepare('SELECT text FROM rows WHERE name = ? AND key = ?');
    return keys.map(
      (key) => (select.get(table, key) as { text: string } | undefined)?.text ?? null,
    );
  }

  async commit(table: string, commit: ReadModelCommit): Promise<CommitOutcome> {
    // Rows and checkpoint in one transaction: that is all that exactly once takes.
    return this.#transaction(() => {
      const at = this.#checkpoint(table);
      if (at !== undefined && at.token > commit.token) return 'fenced';
      if ((at?.cursor ?? null) !== commit.expected) return 'changed';
      const put = this.#database.prepare('INSERT OR REPLACE INTO rows VALUES (?, ?, ?)');
      const remove = this.#database.prepare('DELETE FROM rows WHERE name = ? AND key = ?');
      for (const [key, text] of commit.changes) {
        if (text === null) remove.run(table, key);
        else put.run(table, key, text);
      }
      this.#database
        .prepare('INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)')
        .run(table, commit.next, commit.token);
      return 'committed';
    });
  }

  async *rows(table: string): AsyncGenerator<readonly [key: string, text: string]> {
    const select = this.#database.prepare(
      'SELECT key, text FROM rows WHERE name = ? AND key > ? ORDER BY key LIMIT 1000',
    );
    for (let last = ''; ; ) {
      const some = select.all(table, last) as { key: string; text: string }[];
      for (const { key, text } of some) yield [key, text];
      if (some.length < 1_000) return;
      last = some[some.length - 1]!.key;
    }
  }

  async drop(table: string): Promise<void> {
    this.#transaction(() => {
      this.#database.prepare('DELETE FROM rows WHERE name = ?').run(table);
      this.#database.prepare('DELETE FROM checkpoints WHERE name = ?').run(table);
    });
  }

  async close(): Promise<void> {
    if (this.#database.open) this.#database.close();
  }

  #checkpoint(table: string): Checkpoint | undefined {
    const row = this.#database
      .prepare('SELECT cursor, token FROM checkpoints WHERE name = ?')
      .get(table) as Checkpoint | undefined;
    return row && { cursor: row.cursor, token: row.token };
  }

  #transaction<T>(work: () => T): T {
    return this.#database.transaction(work).immediate() as T;
  }
}
