/**
 * Reads pages of the feed, a chunk of entries at a time:
 *
 *   entries of the feed ─► their events, log by log (stretches.ts) ─► onto the page, in feed order
 *
 * A large page is read over several turns of the event loop. That shows: while it is read, events
 * may be trimmed and others appended. Neither harms it, since what an entry tells of never changes.
 */
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { FeedCursor, FeedPage } from '../feed.ts';
import { BEFORE_FIRST, markedPosition, writeFeedCursor } from '../feed-cursor.ts';
import type { FeedRequest } from '../feed-options.ts';
import { FeedPageBuilder } from '../feed-page.ts';
import { placeInFeed } from '../feed-standing.ts';
import { COUNTERS_KEY, type Databases } from './layout.ts';
import { EventStretch, readStretches } from './stretches.ts';

/**
 * How many events a chunk has: few at first, as they can be large; then as many as the page has
 * bytes left for, by those that were seen.
 */
const FIRST_CHUNK = 64;
const CHUNK_GROWTH = 8;
const LARGEST_CHUNK = 4_000;

/** How many entries one turn of the event loop goes through. */
const ENTRIES_PER_TURN = 4_000;

/** After so many entries without a single one of the category asked for, the caller gets its empty page. */
const MAX_ENTRIES_SKIPPED = 200_000;

/** Runs a read in a turn of the event loop. */
export type InTurn = <T>(read: () => T) => Promise<T>;

export class FeedReader {
  readonly #databases: Databases;
  readonly #inTurn: InTurn;

  constructor(databases: Databases, inTurn: InTurn) {
    this.#databases = databases;
    this.#inTurn = inTurn;
  }

  async page(request: FeedRequest): Promise<FeedPage> {
    const reading = this.#read(request);
    for (;;) {
      const step = await this.#inTurn(() => reading.next());
      if (step.done) return step.value;
    }
  }

  end(): Promise<FeedCursor> {
    return this.#inTurn(() => {
      const position = this.#end();
      const mark = this.#databases.feed.get(position);
      return writeFeedCursor({ ...BEFORE_FIRST, position, mark });
    });
  }

  #end(): number {
    return this.#databases.counters.get(COUNTERS_KEY)?.lastFeed ?? 0;
  }

  /** Yields where it has held the turn for long enough. */
  *#read(request: FeedRequest): Generator<void, FeedPage> {
    const page = this.#begin(request);
    let wanted = FIRST_CHUNK;
    let looked = 0;
    while (!page.isFull && page.place.position < this.#end()) {
      const { stretches, last } = this.#entries(page, request.prefix, Math.min(wanted, page.room));
      yield* readStretches(this.#databases, stretches, {
        room: page.room,
        bytes: page.bytesLeft,
        trims: this.#pendingTrims(),
      });
      if (!addAll(page, stretches)) break;
      // Those of other categories, after the last one that was asked for.
      if (last !== undefined && last.position > page.place.position) page.pass(last);
      looked += ENTRIES_PER_TURN;
      if (page.isEmpty && looked >= MAX_ENTRIES_SKIPPED) break;
      wanted = Math.min(wanted * CHUNK_GROWTH, LARGEST_CHUNK, Math.max(1, page.eventsLeft));
      yield;
    }
    return page.page(this.#end());
  }

  #begin(request: FeedRequest): FeedPageBuilder {
    const marked = markedPosition(request.after);
    const mark = marked === 0 ? undefined : this.#databases.feed.get(marked);
    // Entries of the feed are never removed.
    const next = request.after.position + 1;
    const facts = { first: 1, next, end: this.#end(), mark };
    const { standing, from } = placeInFeed(request.after, facts);
    return new FeedPageBuilder(request, standing, from);
  }

  /**
   * The next entries of the logs asked for, with about `events` events.
   * @returns also the last entry that was looked at
   */
  #entries(
    page: FeedPageBuilder,
    prefix: string,
    events: number,
  ): { stretches: EventStretch[]; last: EventStretch | undefined } {
    const { position, within } = page.place;
    const stretches: EventStretch[] = [];
    let last: EventStretch | undefined;
    let begun = within?.after;
    let found = 0;
    const range = { start: position + 1, end: this.#end() + 1, limit: ENTRIES_PER_TURN };
    for (const { key, value } of this.#databases.feed.getRange(range)) {
      last = new EventStretch(key, value, begun);
      begun = undefined;
      if (!value.log.startsWith(prefix)) continue;
      stretches.push(last);
      found += last.size;
      if (found >= events) break;
    }
    return { stretches, last };
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

/** @returns whether all of them fit */
function addAll(page: FeedPageBuilder, stretches: readonly EventStretch[]): boolean {
  for (const stretch of stretches) {
    if (page.isFull) return false;
    const { mark, events, whole, complete } = stretch;
    if (!page.add(mark, stretch, events, whole, complete)) return false;
  }
  return true;
}
