/** Putting a page of the feed together, stretch by stretch, until it is full. */
import type { StoredEvent } from '../event/event.ts';
import { type EventId, ZERO_ID } from '../event/event-id.ts';
import type { FeedItem, FeedPage, FeedStanding, Stretch } from './feed.ts';
import { type EntryMark, type FeedPlace, writeFeedCursor } from './feed-cursor.ts';
import type { FeedRequest } from './feed-options.ts';

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
  readonly #items: FeedItem[] = [];
  #place: FeedPlace;
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

  /** About how many more events fit, by their size so far. */
  get eventsLeft(): number {
    if (this.#events === 0) return this.room;
    const average = Math.max(1, this.#bytes / this.#events);
    return Math.min(this.room, Math.ceil(this.bytesLeft / average));
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
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
    const { limit, maxBytes } = this.#request;
    let taken = 0;
    while (taken < events.length && this.#events < limit) {
      const bytes = this.#bytes + events[taken]!.size;
      if (bytes > maxBytes && this.#events > 0) {
        this.#full = true;
        break;
      }
      this.#bytes = bytes;
      this.#events++;
      taken++;
    }
    const all = taken === events.length && complete;
    if (all) {
      this.#items.push({ log, events, whole });
      this.pass(at);
    } else if (taken > 0) {
      const part = taken === events.length ? events : events.slice(0, taken);
      this.#items.push({ log, events: part, whole });
      this.#stopWithin(at, at.index, part[taken - 1]!.id);
    }
    return all;
  }

  /** Leaves the next stretch behind, read or not. */
  pass({ position, index, count, mark }: StretchPlace): void {
    if (index + 1 === count) this.#place = { position, mark, within: undefined };
    else this.#stopWithin({ position, mark }, index + 1, ZERO_ID);
  }

  /** The page, of a feed that has given out `end` entries. */
  page(end: number): FeedPage {
    const { position } = this.#place;
    return {
      items: this.#items,
      cursor: writeFeedCursor(this.#place),
      position,
      end,
      more: position < end,
      standing: this.#standing,
    };
  }

  #stopWithin(
    { position, mark }: Pick<StretchPlace, 'position' | 'mark'>,
    stretch: number,
    after: EventId,
  ): void {
    this.#place = { position: position - 1, mark, within: { stretch, after } };
  }
}
