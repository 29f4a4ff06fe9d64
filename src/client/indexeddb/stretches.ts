/**
 * The cached stretches of logs, as one transaction changes them.
 *
 *     after ──► [chunk][chunk]…[chunk] ──► cursor        no hole between `after` and `cursor`
 *               oldest          filled up with what comes, until it is full
 *
 * A chunk is one value of the database: a value for each event would take several times as long. Whole
 * chunks go, the oldest first, and `after` moves up to where the next one begins.
 */
import type { Codec, StoredEvent } from '../../event/event.ts';
import { type EventId, isAfter, laterOf, ZERO_ID } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { eventsAfter } from '../logs/tail.ts';
import { answer, type Stores } from './database.ts';
import { CHUNKS, LOGS } from './layout.ts';

export interface CacheLimits {
  readonly maxEventsPerLog: number;
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** Events that lie between two places, all that there are. */
export interface Added {
  readonly after: EventId;
  readonly events: readonly StoredEvent[];
  readonly cursor: EventId;
  /** What there was is to be forgotten. */
  readonly isNew: boolean;
}

/** An event in a chunk. */
export type Row = readonly [
  id: EventId,
  type: string,
  codec: Codec,
  data: string | Uint8Array,
  rawMeta: string | undefined,
];

/** Nothing is known of a log. */
export const NOTHING: Added = { after: ZERO_ID, events: [], cursor: ZERO_ID, isNew: true };

interface Chunk {
  readonly number: number;
  count: number;
  bytes: number;
  /** Of its last event. */
  last: EventId;
}

export interface Stretch {
  readonly log: LogName;
  after: EventId;
  cursor: EventId;
  readonly chunks: Chunk[];
  /** The number of the next chunk. */
  next: number;
  /** By the clock of the device: when it was last read or added to. */
  used: number;
}

const MAX_LOGS = 200;
const CHUNK_EVENTS = 100;
const CHUNK_BYTES = 65_536;

/**
 * What has been added, and then more.
 * @returns `more` alone, if it does not join on
 */
export function joined(before: Added | undefined, more: Added, limits: CacheLimits): Added {
  if (before === undefined) return more;
  if (!joins(before, more)) return { ...more, isNew: true };
  const events = [...before.events, ...eventsAfter(more.events, before.cursor)];
  const cursor = laterOf(before.cursor, more.cursor);
  const tooMany = events.length - limits.maxEventsPerLog;
  if (tooMany <= limits.maxEventsPerLog) return { ...before, events, cursor };
  // They would not be kept anyway.
  const after = events[tooMany - 1]!.id;
  return { after, events: events.slice(tooMany), cursor, isNew: true };
}

function joins(before: { readonly cursor: EventId }, { isNew, after }: Added): boolean {
  return !isNew && !isAfter(after, before.cursor);
}

export class Stretches {
  readonly #store: Stores;
  readonly #limits: CacheLimits;
  readonly #byLog: Map<LogName, Stretch>;
  readonly #changed = new Set<Stretch>();
  /** What is to be written of each chunk that is another now. */
  readonly #filled = new Map<Chunk, Row[]>();

  private constructor(store: Stores, limits: CacheLimits, all: readonly Stretch[]) {
    this.#store = store;
    this.#limits = limits;
    this.#byLog = new Map(all.map((stretch) => [stretch.log, stretch]));
  }

  static async read(store: Stores, limits: CacheLimits): Promise<Stretches> {
    return new Stretches(store, limits, await answer<Stretch[]>(store(LOGS).getAll()));
  }

  touch(log: LogName, used: number): void {
    const stretch = this.#byLog.get(log);
    if (stretch === undefined) return;
    stretch.used = used;
    this.#changed.add(stretch);
  }

  /** Events that do not join on to what is there take its place: another tab may have been here. */
  async add(log: LogName, added: Added, used: number): Promise<void> {
    const { after } = added;
    const known = this.#byLog.get(log);
    const stretch = known ?? { log, after, cursor: after, chunks: [], next: 0, used };
    if (known === undefined || !joins(known, added)) {
      while (stretch.chunks.length > 0) this.#dropOldest(stretch);
      stretch.after = stretch.cursor = after;
      this.#byLog.set(log, stretch);
    }
    this.touch(log, used);
    await this.#fill(stretch, eventsAfter(added.events, stretch.cursor));
    stretch.cursor = laterOf(stretch.cursor, added.cursor);
    while (countOf(stretch) > this.#limits.maxEventsPerLog) this.#dropOldest(stretch);
  }

  /**
   * Keeps within the limits, and writes what has changed.
   * @param isShort of room: half of what is there has to go
   */
  write(isShort: boolean): void {
    const all = [...this.#byLog.values()].sort((a, b) => a.used - b.used);
    let events = 0;
    let bytes = 0;
    for (const stretch of all) {
      events += countOf(stretch);
      for (const chunk of stretch.chunks) bytes += chunk.bytes;
    }
    const { maxEvents, maxBytes } = this.#limits;
    const room = isShort ? Math.min(maxBytes, bytes / 2) : maxBytes;
    for (const stretch of all) {
      while ((events > maxEvents || bytes > room) && stretch.chunks.length > 0) {
        const gone = this.#dropOldest(stretch);
        events -= gone.count;
        bytes -= gone.bytes;
      }
    }
    for (const stretch of all.slice(0, -MAX_LOGS)) {
      while (stretch.chunks.length > 0) this.#dropOldest(stretch);
      this.#store(LOGS).delete(stretch.log);
      this.#changed.delete(stretch);
    }
    for (const stretch of this.#changed) {
      this.#store(LOGS).put(stretch);
      for (const chunk of stretch.chunks) {
        const rows = this.#filled.get(chunk);
        if (rows !== undefined) this.#store(CHUNKS).put(rows, [stretch.log, chunk.number]);
      }
    }
  }

  async #fill(stretch: Stretch, events: readonly StoredEvent[]): Promise<void> {
    const { log, chunks } = stretch;
    const most = Math.min(CHUNK_EVENTS, Math.ceil(this.#limits.maxEventsPerLog / 10));
    const isFull = (chunk: Chunk) => chunk.count >= most || chunk.bytes >= CHUNK_BYTES;
    let chunk = chunks.at(-1);
    let rows: Row[] = [];
    if (events.length > 0 && chunk !== undefined && !isFull(chunk)) {
      rows = await answer<Row[]>(this.#store(CHUNKS).get([log, chunk.number]));
    }
    for (const event of events) {
      const { id, type, codec, data, rawMeta, size } = event;
      if (chunk === undefined || isFull(chunk)) {
        chunk = { number: stretch.next, count: 0, bytes: 0, last: id };
        stretch.next += 1;
        chunks.push(chunk);
        rows = [];
      }
      rows.push([id, type, codec, data, rawMeta]);
      chunk.count += 1;
      chunk.bytes += size;
      chunk.last = id;
      this.#filled.set(chunk, rows);
    }
  }

  #dropOldest(stretch: Stretch): Chunk {
    const chunk = stretch.chunks.shift() as Chunk;
    stretch.after = chunk.last;
    this.#store(CHUNKS).delete([stretch.log, chunk.number]);
    this.#changed.add(stretch);
    return chunk;
  }
}

function countOf({ chunks }: Stretch): number {
  return chunks.reduce((sum, { count }) => sum + count, 0);
}
