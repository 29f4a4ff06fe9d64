/** Keeps one group's progress in LMDB, and learns from the feed there what is new. */
import type { LogName } from '../../../event/log-name.ts';
import type { GroupKeeper, KeptLog, Told } from '../../../work-queues/local-group.ts';
import { type EmbeddedStore, readFailure, reading } from '../embedded-store.ts';
import type { Batch } from '../group-commit.ts';
import { COUNTERS_KEY, type Databases, type LogHead } from '../layout.ts';
import { encode, type WorkDatabases } from './layout.ts';

/** How many entries of the feed are looked at in one turn. */
const FEED_STEP = 1_000;
/** How many logs a transaction writes at most. */
const WRITE_STEP = 2_000;

export class EmbeddedKeeper implements GroupKeeper {
  readonly #group: string;
  readonly #store: EmbeddedStore;
  readonly #event: Databases;
  readonly #work: WorkDatabases;
  /** Up to where the feed was looked at. */
  #position: number;

  constructor(group: string, store: EmbeddedStore, event: Databases, work: WorkDatabases) {
    this.#group = group;
    this.#store = store;
    this.#event = event;
    this.#work = work;
    this.#position = this.#end();
  }

  /** All logs there are, as they were when the keeper was made: news goes on from there. */
  backlog(category: string): (readonly [LogName, LogHead])[] {
    // Names are ASCII, and nothing in them comes after '~'.
    const start = (category === '' ? '' : `${category}:`) as LogName;
    const range = { start, end: `${start}~` as LogName };
    return reading(() =>
      Array.from(this.#event.logs.getRange(range), ({ key, value }) => [key, value]),
    );
  }

  read(log: LogName): KeptLog | undefined {
    return reading(() => this.#work.logs.get([this.#group, log]));
  }

  async write(changes: readonly (readonly [LogName, KeptLog])[]): Promise<void> {
    for (let start = 0; start < changes.length; start += WRITE_STEP) {
      const step = changes.slice(start, start + WRITE_STEP);
      await commit(this.#store, (batch) => {
        for (const [log, kept] of step) {
          batch.put(this.#work.logs, [this.#group, log], encode(kept));
        }
      });
    }
  }

  async news(): Promise<{ told: Told[]; more: boolean }> {
    const range = {
      start: this.#position,
      end: Number.MAX_SAFE_INTEGER,
      exclusiveStart: true,
      limit: FEED_STEP,
    };
    return reading(() => {
      const told: Told[] = [];
      for (const { key, value } of this.#event.feed.getRange(range)) {
        told.push(value);
        this.#position = key;
      }
      return { told, more: told.length === FEED_STEP };
    });
  }

  async unread(): Promise<number> {
    return this.#end() - this.#position;
  }

  #end(): number {
    return reading(() => this.#event.counters.get(COUNTERS_KEY))?.lastFeed ?? 0;
  }
}

/** One piece of work for the store's shared commit. */
export function commit(store: EmbeddedStore, decide: (batch: Batch) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    store.commits.submit({
      bytes: 0,
      decide,
      settle: resolve,
      fail: (error) => reject(readFailure(error)),
    });
  });
}
