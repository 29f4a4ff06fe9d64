/**
 * The feed in a folder. Pages are read a chunk of entries at a time:
 *
 *   entries of the feed ─► their events, log by log (stretches.ts) ─► onto the page, in feed order
 *
 * A large page is read over several turns of the event loop. That shows: while it is read, events
 * may be trimmed and others appended. Neither harms it, since what an entry tells of never changes.
 */
import { type EventId, successorOf } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import { type FeedPlace, markedPosition } from '../../../feed/cursor.ts';
import type { FeedPage } from '../../../feed/feed.ts';
import { FeedFollowers } from '../../../feed/followers.ts';
import type { FeedRequest } from '../../../feed/options.ts';
import { FeedPageBuilder } from '../../../feed/page.ts';
import { type FeedEnd, type FeedFacts, placeInFeed } from '../../../feed/standing.ts';
import { StoredFeed } from '../../../feed/stored-feed.ts';
import type { EmbeddedStore } from '../embedded-store.ts';
import { COUNTERS_KEY, type Databases, type FeedEntry } from '../layout.ts';
import { FeedChunk } from './chunk.ts';
import { FeedSource } from './source.ts';
import { readStretches } from './stretches.ts';

/**
 * How many events the first chunk has: few, as they can be large; then as many as the page has bytes
 * left for, by those that were seen. The more there are, the more of them lie next to each other.
 */
const FIRST_CHUNK = 64;
const CHUNK_GROWTH = 32;

/** So many bytes of events more than the page takes are read before a chunk is given up for a smaller one. */
const BYTES_TOO_MANY = 4_194_304;

/** How many entries one turn of the event loop goes through. */
const ENTRIES_PER_TURN = 4_000;

/** After so many entries without a single one of the category asked for, the caller gets its empty page. */
const MAX_ENTRIES_SKIPPED = 200_000;

/** Runs a read in a turn of the event loop, unless the log is closed: then it throws that. */
export type InTurn = <T>(read: () => T) => Promise<T>;

export class EmbeddedFeed extends StoredFeed {
  readonly followers = new FeedFollowers();
  readonly #source: FeedSource;
  readonly #databases: Databases;
  readonly #inTurn: InTurn;
  /** About how many bytes an event has, by the last chunk; not always of the same reader. */
  #eventSize: number | undefined;

  constructor(store: EmbeddedStore, databases: Databases, inTurn: InTurn) {
    super();
    this.#source = new FeedSource(store);
    this.#databases = databases;
    this.#inTurn = inTurn;
  }

  async follow(wake: () => void): Promise<() => void> {
    return this.#inTurn(() => this.followers.add(wake));
  }

  protected async read(request: FeedRequest): Promise<FeedPage> {
    const reading = this.#read(request);
    for (;;) {
      const step = await this.#inTurn(() => reading.next());
      if (step.done) return step.value;
    }
  }

  protected facts(place: FeedPlace): Promise<FeedFacts> {
    return this.#inTurn(() => this.#facts(place));
  }

  #end(): number {
    return this.#databases.counters.get(COUNTERS_KEY)?.lastFeed ?? 0;
  }

  #lastEntry(): FeedEnd {
    const end = this.#end();
    return { end, last: this.#entry(end) };
  }

  #entry(position: number): FeedEntry | undefined {
    return position === 0 ? undefined : this.#databases.feed.get(position);
  }

  #facts(place: FeedPlace): FeedFacts {
    const mark = this.#entry(markedPosition(place));
    // Entries of the feed are never removed.
    return { first: 1, next: place.position + 1, mark, ...this.#lastEntry() };
  }

  /** Yields where it has held the turn for long enough. */
  *#read(request: FeedRequest): Generator<void, FeedPage> {
    const page = this.#begin(request);
    let wanted = this.#fitting(page);
    let skipped = 0;
    for (;;) {
      const end = this.#end();
      const left = end - page.place.position;
      if (page.isFull || left <= 0) break;
      // An entry has at least one event. At the end of the feed there are few, and memory is not for free.
      const chunk = new FeedChunk(Math.min(wanted, left));
      const { last, looked } = yield* this.#entries(page, chunk, request.prefix, wanted, end);
      const found = yield* readStretches(this.#source, chunk, {
        room: page.room,
        bytes: page.bytesLeft,
        mostBytes: page.bytesLeft + BYTES_TOO_MANY,
        trims: this.#pendingTrims(),
      });
      this.#eventSize = chunk.averageSize ?? this.#eventSize;
      if (!found) {
        wanted = Math.ceil(chunk.length / CHUNK_GROWTH);
        continue;
      }
      if (!chunk.putOn(page)) break;
      // Those of other categories, after the last one that was asked for.
      if (last > page.place.position) this.#pass(page, last);
      skipped += looked;
      if (page.isEmpty && skipped >= MAX_ENTRIES_SKIPPED) break;
      wanted = Math.min(wanted * CHUNK_GROWTH, this.#fitting(page));
      yield;
    }
    return page.page(this.#lastEntry());
  }

  #begin(request: FeedRequest): FeedPageBuilder {
    const { standing, from } = placeInFeed(request.after, this.#facts(request.after));
    return new FeedPageBuilder(request, standing, from);
  }

  /**
   * Adds the next entries of the logs asked for, with about `events` events.
   * @returns how many entries were looked at, and the position of the last of them
   */
  *#entries(
    page: FeedPageBuilder,
    chunk: FeedChunk,
    prefix: string,
    events: number,
    end: number,
  ): Generator<void, { looked: number; last: number }> {
    const { position, within } = page.place;
    let last = position;
    let missing = events;
    let begun = within && successorOf(within.after);
    for (;;) {
      const range = { after: last, end, limit: ENTRIES_PER_TURN };
      const read = this.#source.readEntries(chunk, range, prefix, missing, begun);
      last = read.position;
      missing -= read.found;
      begun = undefined;
      const looked = last - position;
      if (missing <= 0 || last >= end || looked >= MAX_ENTRIES_SKIPPED) return { looked, last };
      yield;
    }
  }

  /** About how many more events fit on the page, by the size of those that were read last. */
  #fitting({ room, bytesLeft }: FeedPageBuilder): number {
    const bySize =
      this.#eventSize === undefined ? FIRST_CHUNK : Math.ceil(bytesLeft / this.#eventSize);
    return Math.max(1, Math.min(room, bySize));
  }

  /** Leaves the entry at `position` behind. */
  #pass(page: FeedPageBuilder, position: number): void {
    const mark = this.#databases.feed.get(position)!;
    page.pass({ position, index: 0, count: 1, mark });
  }

  /**
   * Logs of which events are trimmed and still there, by number. Mostly there are none, and so
   * nothing more needs to be asked about each log: what was deleted since is not found.
   */
  #pendingTrims(): Map<number, EventId> {
    const range = { start: '' as LogName, end: '~' as LogName };
    const pending = new Map<number, EventId>();
    for (const { value } of this.#databases.trims.getRange(range)) {
      pending.set(value.log, value.through);
    }
    return pending;
  }
}
