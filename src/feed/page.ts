/** Putting a page of the feed together, stretch by stretch, until it is full. */
import type { StoredEvent } from '../event/event.ts';
import { type EventId, ZERO_ID } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import { type EntryMark, type FeedPlace, writeFeedCursor } from './cursor.ts';
import type { FeedCursor, FeedItem, FeedPage, FeedStanding, Stretch } from './feed.ts';
import type { FeedRequest } from './options.ts';
import { endCursor, type FeedEnd } from './standing.ts';

/** Where a stretch stands in the feed. */
export interface StretchPlace {
  /** The position of its entry. */
  readonly position: number;
  /** Which stretch of the entry it is, from 0. */
  readonly index: number;
  /** How many stretches the entry has. */
  readonly count: number;
  /** How the entry ends. */
  readonly mark: EntryMark;
}

export class FeedPageBuilder {
  readonly #request: FeedRequest;
  readonly #standing: FeedStanding;
  readonly #parts: Iterable<FeedItem>[] = [];
  /** The part that items are added to one by one. */
  #items: FeedItem[] | undefined;
  #place: FeedPlace;
  #torn: LogName | undefined;
  #events = 0;
  #bytes = 0;
  #full = false;

  constructor(request: FeedRequest, standing: FeedStanding, from: FeedPlace) {
    this.#request = request;
    this.#standing = standing;
    this.#place = from;
  }

  /** Where the next stretch begins. */
  get place(): FeedPlace {
    return this.#place;
  }

  /** No further event fits. */
  get isFull(): boolean {
    return this.#full || this.#events >= this.#request.limit;
  }

  /** How many more events fit. */
  get room(): number {
    return this.#request.limit - this.#events;
  }

  /** How many more bytes of events fit; 0 or less once they are used up. */
  get bytesLeft(): number {
    return this.#request.maxBytes - this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /**
   * Takes what fits of the next stretch.
   * @param events all of them that are there, or more than fit
   * @param whole whether none is missing, of those before the page is full
   * @param complete whether `events` reach to the end of the stretch
   * @returns whether all of the stretch is on the page now
   */
  add(
    { log }: Pick<Stretch, 'log'>,
    at: StretchPlace,
    events: readonly StoredEvent[],
    whole: boolean,
    complete = true,
  ): boolean {
    let taken = 0;
    while (taken < events.length && this.accept(events[taken]!.size)) taken++;
    const all = taken === events.length && complete;
    if (all) {
      this.#add({ log, events, whole });
      this.pass(at);
    } else if (taken > 0) {
      const part = taken === events.length ? events : events.slice(0, taken);
      this.#add({ log, events: part, whole });
      this.stopWithin(at, part[taken - 1]!.id);
    }
    return all;
  }

  /**
   * Counts one more event in.
   * @param size in bytes
   * @returns whether it fits
   */
  accept(size: number): boolean {
    const { limit, maxBytes } = this.#request;
    if (this.#events >= limit) return false;
    const bytes = this.#bytes + size;
    if (bytes > maxBytes && this.#events > 0) {
      this.#full = true;
      return false;
    }
    this.#bytes = bytes;
    this.#events++;
    return true;
  }

  /**
   * Takes items whose events were accepted, and which may be made only when they are asked for.
   * @param torn the log of the first of them that is not whole
   */
  take(items: Iterable<FeedItem>, torn: LogName | undefined): void {
    this.#parts.push(items);
    this.#items = undefined;
    this.#torn ??= torn;
  }

  /** Leaves the next stretch behind, read or not. */
  pass({ position, index, count, mark }: StretchPlace): void {
    if (index + 1 === count) this.#place = { position, mark, within: undefined };
    else this.stopWithin({ position, index: index + 1, mark }, ZERO_ID);
  }

  /** The page ends within this stretch, after that event. */
  stopWithin({ position, index, mark }: Omit<StretchPlace, 'count'>, after: EventId): void {
    this.#place = { position: position - 1, mark, within: { stretch: index, after } };
  }

  /** The page, of a feed that ended so when it was read. */
  page(end: FeedEnd): FeedPage {
    return new BuiltPage(this.#parts, this.#torn, this.#place, end, this.#standing);
  }

  #add(item: FeedItem): void {
    if (this.#items === undefined) {
      this.#items = [];
      this.#parts.push(this.#items);
    }
    this.#items.push(item);
    if (!item.whole) this.#torn ??= item.log;
  }
}

class BuiltPage implements FeedPage {
  readonly torn: LogName | undefined;
  readonly cursor: FeedCursor;
  readonly last: FeedCursor;
  readonly position: number;
  readonly end: number;
  readonly more: boolean;
  readonly standing: FeedStanding;
  readonly #parts: readonly Iterable<FeedItem>[];
  #items: readonly FeedItem[] | undefined;

  constructor(
    parts: readonly Iterable<FeedItem>[],
    torn: LogName | undefined,
    place: FeedPlace,
    { end, last }: FeedEnd,
    standing: FeedStanding,
  ) {
    this.#parts = parts;
    this.torn = torn;
    this.cursor = writeFeedCursor(place);
    this.last = endCursor({ end, last });
    this.position = place.position;
    this.end = end;
    this.more = place.position < end;
    this.standing = standing;
  }

  get items(): readonly FeedItem[] {
    this.#items ??= [...this];
    return this.#items;
  }

  [Symbol.iterator](): Iterator<FeedItem> {
    const [only, ...others] = this.#parts;
    if (only === undefined) return [][Symbol.iterator]();
    return others.length === 0 ? only[Symbol.iterator]() : this.#partAfterPart();
  }

  *#partAfterPart(): Generator<FeedItem> {
    for (const part of this.#parts) yield* part;
  }
}
