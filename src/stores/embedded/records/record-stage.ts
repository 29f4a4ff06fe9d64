/** What the batches of records in one commit have changed, on top of what is on the disk. */

import type { KeptRecord, RecordWrite } from '../../../records/decide.ts';
import type { Stage, WriteBatch } from '../group-commit.ts';
import { EXPIRY_VALUE, type RecordDatabases, writeRecord } from './layout.ts';

/** How many expired records each written one takes along, and how many a commit takes at most. */
const REMOVALS_PER_WRITE = 2;
const MAX_REMOVALS = 256;

export class RecordStage implements Stage {
  readonly #databases: RecordDatabases;
  readonly #now: number;
  readonly #changed = new Map<string, KeptRecord | undefined>();

  constructor(databases: RecordDatabases, now: number) {
    this.#databases = databases;
    this.#now = now;
  }

  look(key: string): KeptRecord | undefined {
    return this.#changed.has(key) ? this.#changed.get(key) : this.#databases.records.get(key);
  }

  change({ key, record }: RecordWrite): void {
    this.#changed.set(key, record);
  }

  flush(batch: WriteBatch): void {
    const { records, expiry } = this.#databases;
    for (const [key, record] of this.#changed) {
      const before = records.get(key);
      if (before !== undefined && before.expires !== 0) {
        batch.remove(expiry, [before.expires, key] as const);
      }
      if (record === undefined) {
        if (before !== undefined) batch.remove(records, key);
        continue;
      }
      batch.put(records, key, writeRecord(record));
      if (record.expires !== 0) batch.put(expiry, [record.expires, key] as const, EXPIRY_VALUE);
    }
    this.#removeExpired(batch);
  }

  settle(): void {}

  #removeExpired(batch: WriteBatch): void {
    const { records, expiry } = this.#databases;
    const range = {
      start: [0, ''] as const,
      end: [this.#now + 1, ''] as const,
      limit: Math.min(REMOVALS_PER_WRITE * this.#changed.size, MAX_REMOVALS),
    };
    for (const entry of expiry.getKeys(range)) {
      const [, key] = entry;
      // What this batch changed has its place in the order changed already.
      if (this.#changed.has(key)) continue;
      batch.remove(expiry, entry);
      batch.remove(records, key);
    }
  }
}
