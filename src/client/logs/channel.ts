/**
 * One log and its readers in this tab. It is followed once, from the earliest place that a reader
 * needs; a later reader is served from the {@link Tail} where that reaches back far enough.
 * Otherwise the log is followed again from further back, and the others pass over what they have:
 *
 *     opening ──► following ◄──► live        both: again from further back, when a reader needs it
 *        └────────────┴───────────┴──► failed, or nobody reads
 *
 * A log that is followed again may be another one by then (its store has lost its end). So each
 * reader has to see the event that it was at come by; where it does not, the log is followed again
 * from there, which makes the gateway look.
 */
import type { StoredEvent } from '../../event/event.ts';
import {
  cursorBefore,
  type EventId,
  isAfter,
  predecessorOf,
  ZERO_ID,
} from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Failure } from '../../protocol/problem.ts';
import type { Cache } from '../device.ts';
import type { ClientStart, Upstream } from '../upstream.ts';
import type { Reader } from './reader.ts';
import { eventsAfter, Tail } from './tail.ts';

export interface ChannelParts {
  readonly follow: Upstream['follow'];
  /** Resolves once it is open. */
  readonly cache: Promise<Cache | undefined> | undefined;
  /** Whether it is this tab that fills the cache. */
  readonly writesCache: () => boolean;
}

export class Channel {
  readonly #log: LogName;
  readonly #parts: ChannelParts;
  #tail = new Tail();
  #readers: readonly Reader[] = [];
  /** Readers to come to terms with, all of one turn together. */
  #isSettling = false;
  readonly #ready: Promise<void> | undefined;
  #cache: Cache | undefined;
  #isFollowed = false;
  #isLive = false;
  /** Where the cached stretch ends; undefined: it is not known to join on to what is here. */
  #kept: EventId | undefined;

  constructor(log: LogName, parts: ChannelParts) {
    this.#log = log;
    this.#parts = parts;
    this.#ready = parts.cache?.then((cache) => this.#load(cache));
  }

  /** From here the log goes on when it is followed by another way. Undefined: from its start. */
  get cursor(): EventId | undefined {
    // After a reset nothing has been received, and the start was in a log that is no more.
    return this.#tail.cursor ?? earliest(this.#readers.filter(({ isTime }) => !isTime))?.at;
  }

  get isIdle(): boolean {
    return this.#readers.length === 0;
  }

  open(reader: Reader): void {
    this.#readers = [...this.#readers, reader];
    if (this.#isSettling) return;
    this.#isSettling = true;
    void Promise.resolve(this.#ready).then(() => {
      this.#isSettling = false;
      this.#settle();
    });
  }

  close(reader: Reader): void {
    reader.isOpen = false;
    this.#readers = this.#readers.filter((other) => other !== reader);
  }

  events(events: readonly StoredEvent[]): void {
    if (events.length === 0) return;
    const before = this.#tail.cursor;
    const wanted = Math.max(0, ...this.#readers.map((reader) => reader.wanted));
    this.#tail.add(events, wanted);
    this.#keep(events, before);
    this.#tell((reader) => reader.isPlaced && !reader.isNew && reader.take(events));
  }

  live(at: EventId | undefined): void {
    this.#isLive = true;
    const tail = this.#tail;
    if (at !== undefined && (tail.cursor === undefined || isAfter(at, tail.cursor))) {
      const before = tail.cursor;
      tail.cursor = at;
      tail.from ??= tail.events.length === 0 ? at : undefined;
      this.#keep([], before);
    }
    this.#tell((reader) => !reader.isNew && reader.wanted === 0 && reader.arrive(at));
    if (this.#readers.some((reader) => reader.wanted > 0 || reader.isNew)) this.#settle();
  }

  trimmed(resumeAfter: EventId): void {
    this.#isLive = false;
    const { cursor } = this.#tail;
    if (cursor === undefined || isAfter(resumeAfter, cursor)) this.#tail = new Tail(resumeAfter);
    this.#tell((reader) => {
      if (reader.at === undefined || reader.isTime || !isAfter(resumeAfter, reader.at))
        return false;
      reader.place(resumeAfter);
      reader.consumer.trimmed(resumeAfter);
      return false;
    });
  }

  reset(version: EventId): void {
    this.#isLive = false;
    this.#tail = new Tail();
    this.#kept = undefined;
    if (this.#parts.writesCache()) {
      this.#cache?.add(this.#log, [], ZERO_ID, { after: ZERO_ID, isNew: true });
    }
    this.#tell((reader) => {
      if (reader.at === undefined || reader.isTime) return false;
      // Nothing was received that could be gone.
      if (reader.isFresh && reader.at === ZERO_ID) return false;
      reader.place(ZERO_ID);
      reader.consumer.reset(version);
      return false;
    });
  }

  failed(failure: Failure): void {
    this.#tell((reader) => {
      this.close(reader);
      reader.consumer.failed(failure);
      return false;
    });
  }

  async #load(cache: Cache | undefined): Promise<void> {
    this.#cache = cache;
    // A cache that cannot be read is none.
    const cached = await cache?.log(this.#log).catch(() => undefined);
    if (cached === undefined) return;
    this.#tail = new Tail(cached.after);
    this.#tail.add(cached.events);
    this.#tail.cursor = this.#kept = cached.cursor;
  }

  /** Serves new readers, and those that wait for the last events, from what is here; else the log is followed. */
  #settle(): void {
    const waiting = this.#readers.filter((reader) => reader.isNew || !reader.isPlaced);
    const unserved = waiting.filter((reader) => !this.#canServe(reader));
    if (this.isIdle) return;
    for (const reader of waiting) reader.isNew = false;
    if (!this.#isFollowed || unserved.length > 0) this.#follow(this.#startFor(unserved));
    for (const reader of waiting) {
      if (reader.isOpen && !reader.isNew && this.#canServe(reader)) this.#serve(reader);
    }
  }

  #canServe({ start, at, isTime }: Reader): boolean {
    if (at !== undefined) return isTime ? this.#tail.reaches(at) : this.#tail.knows(at);
    // While events are still coming, the last ones are not known yet.
    return start === 'now' || !this.#isLive || !('last' in start) || this.#tail.has(start.last);
  }

  #serve(reader: Reader): void {
    const { events, cursor } = this.#tail;
    if (reader.isPlaced) {
      if (reader.at !== undefined) reader.isSure = true;
      reader.take(reader.at === undefined ? [] : events);
    } else {
      if (!this.#isLive) return;
      const last = reader.wanted;
      reader.place(cursor);
      if (last > 0 && events.length > 0) reader.consumer.events(events.slice(-last));
    }
    if (this.#isLive && reader.isOpen) reader.arrive(cursor);
  }

  #startFor(unserved: readonly Reader[]): ClientStart {
    const first = earliest(this.#readers);
    const { cursor } = this.#tail;
    if (first !== undefined && !this.#isFollowed && unserved.length === 0 && cursor !== undefined) {
      return { after: cursor };
    }
    if (first !== undefined && (!this.#isFollowed || earliest(unserved) !== undefined)) {
      return first.next;
    }
    const last = Math.max(0, ...this.#readers.map((reader) => reader.wanted));
    return last > 0 ? { last } : 'now';
  }

  #follow(start: ClientStart): void {
    const after = start !== 'now' && 'after' in start ? start.after : undefined;
    const last = start !== 'now' && 'last' in start ? start.last : 0;
    // From the end of what is here it just goes on.
    if (after === undefined || after !== this.#tail.cursor) this.#tail = new Tail(after, last);
    this.#isFollowed = true;
    this.#isLive = false;
    for (const reader of this.#readers) {
      if (reader.at !== undefined) {
        reader.isSure = reader.isTime || reader.at === after;
        // A time does not show whether events after it are left out: it waits for its turn.
        if (reader.isTime && !reachesBack(start, reader.at)) reader.isNew = true;
      } else {
        reader.isPlaced = false;
        if (last > 0 ? reader.wanted === last : start === reader.start) reader.place(undefined);
      }
    }
    this.#parts.follow(this.#log, start);
  }

  /** Tells whom it concerns; where a reader's place is missing, the log is followed from there. */
  #tell(tell: (reader: Reader) => boolean): void {
    const missing = this.#readers.filter((reader) => reader.isOpen && tell(reader));
    const after = earliest(missing)?.at;
    if (after !== undefined) this.#follow({ after });
  }

  /** Adds to the cache what has come, without a hole, or begins a new stretch in it. */
  #keep(events: readonly StoredEvent[], before: EventId | undefined): void {
    const cache = this.#cache;
    if (!this.#parts.writesCache()) this.#kept = undefined;
    else if (cache !== undefined) {
      const tail = this.#tail;
      const cursor = tail.cursor as EventId;
      const kept = this.#kept;
      // What comes now is older than what is kept.
      if (kept !== undefined && kept !== before && isAfter(kept, cursor)) return;
      const joins =
        kept !== undefined &&
        (kept === before || kept === cursor || events.some((event) => event.id === kept));
      this.#kept = cursor;
      if (joins) cache.add(this.#log, eventsAfter(events, kept), cursor, { after: kept });
      else {
        const after = tail.from ?? predecessorOf(tail.events[0]?.id ?? cursor);
        cache.add(this.#log, [...tail.events], cursor, { after, isNew: true });
      }
    }
  }
}

function reachesBack(start: ClientStart, place: EventId): boolean {
  if (start === 'now' || 'last' in start) return false;
  return !isAfter('after' in start ? start.after : cursorBefore(start.since), place);
}

function earliest(readers: readonly Reader[]): Reader | undefined {
  let first: Reader | undefined;
  for (const reader of readers) {
    if (reader.at === undefined) continue;
    if (first?.at === undefined || isAfter(first.at, reader.at)) first = reader;
  }
  return first;
}
