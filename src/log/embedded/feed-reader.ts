/**
 * Reads pages of the feed. Stretches are mostly single events, of logs in any order: those are got
 * one by one, which costs a fraction of what a range does; only longer ones are read as ranges.
 *
 * A large page is read over several turns of the event loop. That shows: while it is read, events
 * may be trimmed and others appended. Neither harms it, since what an entry tells of never changes.
 */
import type { StoredEvent } from '../../event/event.ts';
import { type EventId, laterOf, makeEventId, predecessorOf } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { FeedCursor, FeedPage } from '../feed.ts';
import { BEFORE_FIRST, markedPosition, writeFeedCursor } from '../feed-cursor.ts';
import type { FeedRequest } from '../feed-options.ts';
import { FeedPageBuilder } from '../feed-page.ts';
import { placeInFeed } from '../feed-standing.ts';
import { eventFrom } from './entry.ts';
import { COUNTERS_KEY, type Databases, type FeedEntry } from './layout.ts';

/** How many events and entries one turn of the event loop reads: a few milliseconds' worth. */
const EVENTS_PER_TURN = 2_000;
const ENTRIES_PER_TURN = 4_000;

/** After so many entries without a single event of the category asked for, the caller gets its empty page. */
const MAX_ENTRIES_SKIPPED = 200_000;

/** Up to so many events are got one by one. */
const FEW_EVENTS = 8;

/** Runs a read in a turn of the event loop. */
export type InTurn = <T>(read: () => T) => Promise<T>;

/** What is known of an entry's events. */
interface Found {
  readonly events: readonly StoredEvent[];
  readonly whole: boolean;
  readonly complete: boolean;
}

export class FeedReader {
  readonly #databases: Databases;
  readonly #inTurn: InTurn;

  constructor(databases: Databases, inTurn: InTurn) {
    this.#databases = databases;
    this.#inTurn = inTurn;
  }

  async page(request: FeedRequest): Promise<FeedPage> {
    let builder: FeedPageBuilder | undefined;
    let looked = 0;
    for (;;) {
      const page = await this.#inTurn(() => {
        builder ??= this.#begin(request);
        looked += ENTRIES_PER_TURN;
        const end = this.#end();
        const isDone = this.#fill(builder, request.prefix, end);
        const isLongEnough = builder.isEmpty && looked >= MAX_ENTRIES_SKIPPED;
        return isDone || isLongEnough ? builder.page(end) : undefined;
      });
      if (page !== undefined) return page;
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

  #begin(request: FeedRequest): FeedPageBuilder {
    const marked = markedPosition(request.after);
    const mark = marked === 0 ? undefined : this.#databases.feed.get(marked);
    // Entries of the feed are never removed.
    const { standing, from } = placeInFeed(request.after, { first: 1, end: this.#end(), mark });
    return new FeedPageBuilder(request, standing, from);
  }

  /** @returns whether the page has come to its end, or the feed has */
  #fill(page: FeedPageBuilder, prefix: string, end: number): boolean {
    const trims = this.#pendingTrims();
    const start = page.place.position + 1;
    const range = { start, end: end + 1, limit: ENTRIES_PER_TURN };
    let toRead = EVENTS_PER_TURN;
    for (const { key: position, value: entry } of this.#databases.feed.getRange(range)) {
      const at = { position, index: 0, count: 1, mark: entry };
      if (!entry.log.startsWith(prefix)) {
        page.pass(at);
        continue;
      }
      const { events, whole, complete } = this.#find(page, entry, trims.get(entry.number));
      if (!page.add(entry, at, events, whole, complete) || page.isFull) return true;
      toRead -= events.length;
      if (toRead <= 0) break;
    }
    return page.place.position >= end;
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

  #find(page: FeedPageBuilder, entry: FeedEntry, trimmed: EventId | undefined): Found {
    const { number, first, last } = entry;
    const within = page.place.within?.after;
    if (first === last && within === undefined && trimmed === undefined) {
      const found = this.#databases.events.get([number, first]);
      const events = found === undefined ? [] : [eventFrom(first, found)];
      return { events, whole: found !== undefined, complete: true };
    }
    const few = within === undefined && trimmed === undefined && fewIds(first, last);
    if (few) {
      const events: StoredEvent[] = [];
      for (const id of few) {
        const found = this.#databases.events.get([number, id]);
        if (found !== undefined) events.push(eventFrom(id, found));
      }
      return { events, whole: events.length === few.length, complete: true };
    }
    const start = laterOf(within ?? predecessorOf(first), predecessorOf(first));
    const after = laterOf(start, trimmed ?? start);
    return this.#range(entry, start, after, page);
  }

  /** @param start after which event the part to be read starts, before anything was trimmed */
  #range(
    { number, last }: FeedEntry,
    start: EventId,
    after: EventId,
    page: FeedPageBuilder,
  ): Found {
    const range = {
      start: [number, after] as const,
      exclusiveStart: true,
      end: [number, last] as const,
      inclusiveEnd: true,
    };
    const events: StoredEvent[] = [];
    let { room, bytesLeft } = page;
    let complete = true;
    for (const { key, value } of this.#databases.events.getRange(range)) {
      if (room <= 0 || (bytesLeft < 0 && events.length > 1)) {
        complete = false;
        break;
      }
      const event = eventFrom(key[1], value);
      events.push(event);
      room -= 1;
      bytesLeft -= event.size;
    }
    // The events of an append are successors of each other, and trimming takes the oldest.
    const whole = events[0] !== undefined && predecessorOf(events[0].id) === start;
    return { events, whole, complete };
  }
}

/** All IDs from `first` to `last`, if they are few and easily told; the events of an append are successors. */
function fewIds(first: EventId, last: EventId): EventId[] | undefined {
  const dash = first.indexOf('-');
  if (!last.startsWith(first.slice(0, dash + 1))) return undefined;
  const from = Number(first.slice(dash + 1));
  const to = Number(last.slice(dash + 1));
  if (to - from >= FEW_EVENTS || !Number.isSafeInteger(to)) return undefined;
  const milliseconds = Number(first.slice(0, dash));
  if (!Number.isSafeInteger(milliseconds)) return undefined;
  return Array.from({ length: to - from + 1 }, (_, index) =>
    makeEventId(milliseconds, from + index),
  );
}
