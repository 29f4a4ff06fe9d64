/**
 * A chunk of the feed, as the bytes that lie in LMDB: entries, and the events that they tell of.
 *
 *   entry    log number 4 │ first ID 16 │ last ID 16         without the log's name; in feed order
 *   event    ID 16 │ size 4 │ that many bytes, see entry.ts  those of one entry lie next to each other
 *
 * A page of thousands of events would otherwise be ten thousands of objects, all of which live until
 * the page was gone through: most of what the garbage collector then copies. From a chunk an event
 * is made when somebody comes by, and is garbage before the collector has seen it.
 */
import type { StoredEvent } from '../../../event/event.ts';
import type { EventId } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { FeedItem } from '../../../feed/feed.ts';
import type { FeedPageBuilder, StretchPlace } from '../../../feed/page.ts';
import { compareBytes, copyBytes, getNumber, putNumber } from '../bytes.ts';
import { FEED_NAME_START, getId, ID_BYTES, putId } from '../layout.ts';
import { eventFrom, readEntry } from '../log/entry.ts';

const FIRST = 4;
const LAST = FIRST + ID_BYTES;
const ENTRY_BYTES = FEED_NAME_START;
const EVENT_START = ID_BYTES + 4;
/** About the size of a small event: where more is needed, memory grows. */
const EVENT_BYTES = 64;

export class FeedChunk {
  readonly #names: LogName[] = [];
  readonly #positions: Float64Array;
  readonly #entries: Buffer;
  /**
   * Of each entry: where its events start, how many were found, whether the first is among them (it
   * is the oldest that trimming takes), and whether any were left unread.
   */
  readonly #starts: Float64Array;
  readonly #counts: Uint32Array;
  readonly #whole: Uint8Array;
  readonly #cut: Uint8Array;
  #events: Buffer;
  #used = 0;
  /** How many events were found. */
  #found = 0;

  /** @param capacity how many entries it can hold */
  constructor(capacity: number) {
    this.#positions = new Float64Array(capacity);
    this.#entries = Buffer.allocUnsafeSlow(capacity * ENTRY_BYTES);
    this.#starts = new Float64Array(capacity);
    this.#counts = new Uint32Array(capacity);
    this.#whole = new Uint8Array(capacity);
    this.#cut = new Uint8Array(capacity);
    this.#events = Buffer.allocUnsafeSlow(capacity * EVENT_BYTES);
  }

  /** How many entries it holds. */
  get length(): number {
    return this.#names.length;
  }

  /** How many bytes its events take. */
  get bytes(): number {
    return this.#used;
  }

  /** How many bytes its events have on average; undefined without any. */
  get averageSize(): number | undefined {
    return this.#found === 0 ? undefined : this.#used / this.#found;
  }

  /** One more entry: `bytes` as they lie in the database. */
  addEntry(position: number, name: LogName, bytes: Uint8Array): void {
    const index = this.#names.length;
    this.#names.push(name);
    this.#positions[index] = position;
    copyBytes(bytes, 0, ENTRY_BYTES, this.#entries, index * ENTRY_BYTES);
  }

  /** The first entry was begun: what is left of it starts with the event `first`. */
  beginWith(first: EventId): void {
    putId(first, this.#entries, FIRST);
  }

  /** The number of the entry's log. */
  logNumber(index: number): number {
    return getNumber(this.#entries, index * ENTRY_BYTES);
  }

  /** How many events the entry tells of: those of an append are successors of each other. */
  eventsOf(index: number): number {
    const first = getNumber(this.#entries, index * ENTRY_BYTES + LAST - 4);
    const last = getNumber(this.#entries, (index + 1) * ENTRY_BYTES - 4);
    return ((last - first) >>> 0) + 1;
  }

  firstId(index: number): EventId {
    return getId(this.#entries, index * ENTRY_BYTES + FIRST);
  }

  /** Writes the key of its first event. */
  putFirstKey(index: number, target: Uint8Array, start: number): void {
    copyBytes(this.#entries, index * ENTRY_BYTES, 4 + ID_BYTES, target, start);
  }

  /** Writes the key of its last event. */
  putLastKey(index: number, target: Uint8Array, start: number): void {
    const entry = index * ENTRY_BYTES;
    copyBytes(this.#entries, entry, 4, target, start);
    copyBytes(this.#entries, entry + LAST, ID_BYTES, target, start + 4);
  }

  /** The ID of the event that {@link addEvent} adds next, unless another call follows. */
  beginEvent(source: Uint8Array, start: number): void {
    this.#makeRoom(EVENT_START);
    copyBytes(source, start, ID_BYTES, this.#events, this.#used);
  }

  /** The ID of the event that {@link addEvent} adds next is the first of this entry. */
  beginFirstEvent(index: number): void {
    this.beginEvent(this.#entries, index * ENTRY_BYTES + FIRST);
  }

  addEvent(bytes: Uint8Array): void {
    const size = bytes.length;
    this.#makeRoom(EVENT_START + size);
    putNumber(size, this.#events, this.#used + ID_BYTES);
    copyBytes(bytes, 0, size, this.#events, this.#used + EVENT_START);
    this.#used += EVENT_START + size;
  }

  /** Whether the event at `start`, where one was added, belongs to the entry or to one before. */
  reaches(index: number, start: number): boolean {
    const last = index * ENTRY_BYTES + LAST;
    return compareBytes(this.#events, start, this.#entries, last, ID_BYTES) <= 0;
  }

  /** The entry has `count` events, from `start` on. */
  found(index: number, start: number, count: number): void {
    this.#starts[index] = start;
    this.#counts[index] = count;
    this.#found += count;
    const first = index * ENTRY_BYTES + FIRST;
    const isWhole =
      count > 0 && compareBytes(this.#events, start, this.#entries, first, ID_BYTES) === 0;
    this.#whole[index] = isWhole ? 1 : 0;
  }

  /** Not all events of the entry were read. */
  cut(index: number): void {
    this.#cut[index] = 1;
  }

  /**
   * Puts on the page what fits.
   * @returns whether all of it does
   */
  putOn(page: FeedPageBuilder): boolean {
    let index = 0;
    let taken = 0;
    let torn: LogName | undefined;
    for (; index < this.length && !page.isFull; index += 1) {
      taken = this.#countFitting(index, page);
      const all = taken === this.#counts[index]! && this.#cut[index] === 0;
      if (torn === undefined && (all || taken > 0) && this.#whole[index] === 0)
        torn = this.#names[index];
      if (!all) break;
      taken = 0;
    }
    if (index + taken === 0) return index === this.length;
    page.take(new Stretches(this, taken > 0 ? index + 1 : index, taken), torn);
    if (index > 0) page.pass(this.#place(index - 1));
    if (taken > 0) page.stopWithin(this.#place(index), this.#idAfter(index, taken));
    return index === this.length;
  }

  /** @param count how many of its events; all that were found if undefined */
  item(index: number, count: number | undefined): FeedItem {
    const events: StoredEvent[] = [];
    let start = this.#starts[index]!;
    for (let left = count ?? this.#counts[index]!; left > 0; left -= 1) {
      const from = start + EVENT_START;
      const end = this.#next(start);
      events.push(eventFrom(getId(this.#events, start), readEntry(this.#events, from, end)));
      start = end;
    }
    return { log: this.#names[index]!, events, whole: this.#whole[index] === 1 };
  }

  #countFitting(index: number, page: FeedPageBuilder): number {
    const count = this.#counts[index]!;
    let start = this.#starts[index]!;
    for (let taken = 0; taken < count; taken += 1) {
      const end = this.#next(start);
      if (!page.accept(end - start)) return taken;
      start = end;
    }
    return count;
  }

  #place(index: number): StretchPlace {
    const last = getId(this.#entries, index * ENTRY_BYTES + LAST);
    const mark = { log: this.#names[index]!, last };
    return { position: this.#positions[index]!, index: 0, count: 1, mark };
  }

  /** The ID of the last of so many events of the entry. */
  #idAfter(index: number, count: number): EventId {
    let start = this.#starts[index]!;
    for (let left = count; left > 1; left -= 1) start = this.#next(start);
    return getId(this.#events, start);
  }

  #next(start: number): number {
    return start + EVENT_START + getNumber(this.#events, start + ID_BYTES);
  }

  #makeRoom(size: number): void {
    const needed = this.#used + size;
    if (needed <= this.#events.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#events.length * 2));
    this.#events.copy(larger, 0, 0, this.#used + ID_BYTES);
    this.#events = larger;
  }
}

/**
 * The first entries of a chunk as items of a page, of the last one perhaps only the first events.
 * Not a generator: to wake one up for every event costs as much as to make the event.
 */
class Stretches implements Iterable<FeedItem> {
  readonly #chunk: FeedChunk;
  readonly #length: number;
  readonly #ofLast: number;

  constructor(chunk: FeedChunk, length: number, ofLast: number) {
    this.#chunk = chunk;
    this.#length = length;
    this.#ofLast = ofLast;
  }

  [Symbol.iterator](): Iterator<FeedItem> {
    let index = 0;
    return {
      next: () => {
        if (index >= this.#length) return { done: true, value: undefined };
        const isPart = this.#ofLast > 0 && index === this.#length - 1;
        const value = this.#chunk.item(index, isPart ? this.#ofLast : undefined);
        index += 1;
        return { done: false, value };
      },
    };
  }
}
