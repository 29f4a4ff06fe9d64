/**
 * The recent events of one log, kept only while a reader of it is not up to date, so that it can
 * go on without asking the store for what has just been there.
 *
 *        start                                   tail
 *   ───────┼──── batch ──── batch ──── batch ──────┤
 *          └ a cursor from here on is covered ─────┘
 */
import { type EventId, isAfter } from '../event/event-id.ts';
import type { Batch, Holder } from './batch.ts';

/** What all windows of a process may hold together. */
export class WindowBudget {
  readonly maxBytes: number;
  bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }
}

export class Window implements Holder {
  readonly #budget: WindowBudget;
  readonly #maxBytes: number;
  #start: EventId;
  #batches: Batch[] = [];
  #bytes = 0;

  /** @param maxBytes how much this window may hold */
  constructor(start: EventId, maxBytes: number, budget: WindowBudget) {
    this.#start = start;
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  /** Whether nothing that comes after `cursor` is missing here. */
  covers(cursor: EventId): boolean {
    return !isAfter(this.#start, cursor);
  }

  /** The first batch that goes on exactly after `cursor`; `undefined` where `cursor` falls inside a batch, or none comes. */
  after(cursor: EventId): Batch | undefined {
    let previous = this.#start;
    for (const batch of this.#batches) {
      if (previous === cursor) return batch;
      previous = batch.last;
    }
    return undefined;
  }

  add(batch: Batch): void {
    batch.holder = this;
    this.#batches.push(batch);
    this.grew(batch.weight);
  }

  grew(bytes: number): void {
    this.#count(bytes);
    while (
      this.#batches.length > 0 &&
      (this.#bytes > this.#maxBytes || this.#budget.bytes > this.#budget.maxBytes)
    ) {
      const oldest = this.#batches.shift()!;
      oldest.holder = undefined;
      this.#count(-oldest.weight);
      this.#start = oldest.last;
    }
  }

  /** Forgets everything; what comes next comes after `start`. */
  clear(start: EventId): void {
    if (this.#batches.length > 0) {
      this.#count(-this.#bytes);
      for (const batch of this.#batches) batch.holder = undefined;
      this.#batches = [];
    }
    this.#start = start;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.bytes += bytes;
  }
}
