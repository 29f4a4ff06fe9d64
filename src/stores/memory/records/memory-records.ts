/** Records in this process' memory: the readable reference, for tests of applications. */
import { Closed } from '../../../event/store-errors.ts';
import { BatchRecords } from '../../../records/batch-records.ts';
import { decide, type KeptRecord, lives } from '../../../records/decide.ts';
import type { Change, Committed } from '../../../records/records.ts';

/** How many records each written one makes us look at, for some whose time is over. */
const LOOKS_PER_WRITE = 2;

export interface MemoryRecordsOptions {
  /** The time in milliseconds since 1970; times to live go by it. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

/** {@link Records} that live and die with this process. */
export class MemoryRecords extends BatchRecords {
  readonly #clock: () => number;
  readonly #kept = new Map<string, KeptRecord>();
  #sweep: Iterator<[string, KeptRecord]> = this.#kept.entries();
  #closed = false;

  constructor({ clock = Date.now }: MemoryRecordsOptions = {}) {
    super();
    this.#clock = clock;
  }

  /** How many records it keeps, with those whose time is over and that were not yet removed. */
  get size(): number {
    return this.#kept.size;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  protected async read(key: string): Promise<string | null> {
    this.#mustBeOpen();
    const kept = this.#kept.get(key);
    return lives(kept, this.#clock()) ? kept.value : null;
  }

  protected async commit(changes: readonly Change[]): Promise<Committed> {
    this.#mustBeOpen();
    const now = this.#clock();
    const { outcome, writes } = decide(changes, (key) => this.#kept.get(key), now);
    for (const { key, record } of writes) {
      if (record === undefined) this.#kept.delete(key);
      else this.#kept.set(key, record);
    }
    this.#removeExpired(LOOKS_PER_WRITE * writes.length, now);
    return outcome;
  }

  /** Round and round through all of them, a few steps at a time. */
  #removeExpired(looks: number, now: number): void {
    for (let look = 0; look < looks; look += 1) {
      const { value, done } = this.#sweep.next();
      if (done) {
        this.#sweep = this.#kept.entries();
        return;
      }
      if (!lives(value[1], now)) this.#kept.delete(value[0]);
    }
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Closed('the store of records');
  }
}
