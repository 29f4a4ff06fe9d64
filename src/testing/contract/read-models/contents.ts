/** Short ways to write and to look, for the tests of the contract. */
import type {
  CommitOutcome,
  ReadModel,
  ReadModelCommit,
} from '../../../read-models/read-models.ts';

/** A step from one cursor to the next, with these rows. */
export function step(
  expected: string | null,
  next: string,
  rows: Readonly<Record<string, string | null>> = {},
  token = 1,
): ReadModelCommit {
  return { changes: new Map(Object.entries(rows)), expected, next, token };
}

export function commit(
  readModel: ReadModel,
  table: string,
  ...args: Parameters<typeof step>
): Promise<CommitOutcome> {
  return readModel.commit(table, step(...args));
}

/** All rows, as an object; a key that comes twice is a mistake. */
export async function contents(
  readModel: ReadModel,
  table: string,
): Promise<Record<string, string>> {
  const rows = new Map<string, string>();
  for await (const [key, text] of readModel.rows(table)) {
    if (rows.has(key)) throw new Error(`${key} came twice`);
    rows.set(key, text);
  }
  return Object.fromEntries([...rows].sort(([a], [b]) => (a < b ? -1 : 1)));
}
