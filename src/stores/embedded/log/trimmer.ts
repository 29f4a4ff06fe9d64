/**
 * Deletes what was trimmed, a chunk at a time, between the appends. The mark in the log's head has
 * hidden it from readers already; a trim of a million events must not hold appends up.
 *
 * What is still to be done is in the database `trims`, so that it goes on after a crash.
 */
import type { EventId } from '../../../event/event-id.ts';
import { isAfter, ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import { Closed } from '../../../event/store-errors.ts';
import type { GroupCommit, Work, WriteBatch } from '../group-commit.ts';
import type { Databases } from '../layout.ts';

/** How many events go in one transaction. */
const CHUNK = 500;

/** After how many milliseconds a deletion that failed is tried again. */
const RETRY = 1_000;

export class Trimmer {
  readonly #databases: Databases;
  readonly #commits: GroupCommit;
  readonly #pending = new Map<LogName, EventId>();
  #busy = false;
  #stopped = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(databases: Databases, commits: GroupCommit) {
    this.#databases = databases;
    this.#commits = commits;
  }

  /** Goes on with what an earlier process left. */
  resume(): void {
    const range = { start: '' as LogName, end: '~' as LogName };
    for (const { key, value } of this.#databases.trims.getRange(range)) {
      this.#pending.set(key, value.through);
    }
    this.#next();
  }

  /** `log` has been trimmed through this ID, on the disk. */
  add(log: LogName, through: EventId): void {
    this.#pending.set(log, through);
    this.#next();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
  }

  #next(): void {
    const [first] = this.#pending;
    if (this.#busy || this.#stopped || first === undefined) return;
    const [log, through] = first;
    this.#busy = true;
    let finished = false;
    const work: Work = {
      bytes: 0,
      frees: true,
      decide: (batch) => {
        finished = this.#deleteChunk(batch, log, through);
      },
      settle: () => {
        if (finished && this.#pending.get(log) === through) this.#pending.delete(log);
        this.#busy = false;
        this.#next();
      },
      // Nothing is lost: the mark is on the disk.
      fail: (error) => {
        this.#busy = false;
        if (!(error instanceof Closed)) this.#tryAgain();
      },
    };
    this.#commits.submit(work);
  }

  #tryAgain(): void {
    if (this.#stopped) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#next(), RETRY).unref();
  }

  /** @returns whether that was the last one */
  #deleteChunk(batch: WriteBatch, log: LogName, through: EventId): boolean {
    const { trims, events } = this.#databases;
    const trim = trims.get(log);
    if (trim === undefined) return true;
    const range = {
      start: [trim.log, ZERO_ID] as const,
      end: [trim.log, through] as const,
      inclusiveEnd: true,
      limit: CHUNK,
    };
    let count = 0;
    for (const key of events.getKeys(range)) {
      batch.remove(events, key);
      count++;
    }
    if (count === CHUNK) return false;
    // A later trim of the same log may have moved the mark on.
    if (!isAfter(trim.through, through)) batch.remove(trims, log);
    return true;
  }
}
