/** One reader of a channel: where it is, and what it still has to be told. */
import type { StoredEvent } from '../../event/event.ts';
import {
  compareEventIds,
  cursorBefore,
  type EventId,
  isAfter,
  ZERO_ID,
} from '../../event/event-id.ts';
import type { ClientStart } from '../upstream.ts';
import type { Consumer } from './consumer.ts';
import { eventsAfter } from './tail.ts';

/**
 *   waiting ──► placed: gets what comes after `at`
 *
 * Who starts at a place of its own is placed at once. Who starts with the next event, or with the
 * last ones, waits until it is known where that is.
 */
export class Reader {
  readonly start: ClientStart;
  readonly consumer: Consumer;
  isPlaced = false;
  /** It was told everything up to here. */
  at: EventId | undefined;
  /** Where it starts is as it was asked for: nothing has been told. */
  isFresh = true;
  /**
   * The log, as it is read now, has the event `at`. If that does not come by in a log that is
   * followed again from an earlier place, something is wrong, or the place was none of an event.
   */
  isSure = false;
  isOpen = true;
  /** It has been told nothing and nobody has looked where it starts. */
  isNew = true;

  constructor(start: ClientStart, consumer: Consumer) {
    this.start = start;
    this.consumer = consumer;
    if (start === 'now' || 'last' in start) return;
    this.isPlaced = true;
    this.at = 'after' in start ? start.after : cursorBefore(start.since);
  }

  /** Whether its place is a time, and not that of an event: nobody can check it. */
  get isTime(): boolean {
    return this.isFresh && this.start !== 'now' && 'since' in this.start;
  }

  /** How many of the last events it waits for. */
  get wanted(): number {
    return !this.isPlaced && this.start !== 'now' && 'last' in this.start ? this.start.last : 0;
  }

  /** From where the log is to be followed for it. */
  get next(): ClientStart {
    return this.isFresh || this.at === undefined ? this.start : { after: this.at };
  }

  /** The log is read from here on, which its gateway has looked at, or everything is new. */
  place(at: EventId | undefined): void {
    this.isPlaced = true;
    this.isFresh = false;
    this.isSure = true;
    this.at = at;
  }

  /** @returns whether it has to be told by another way: its place has not come by */
  take(events: readonly StoredEvent[]): boolean {
    const { at } = this;
    if (this.#isMissing(at, events)) return true;
    const news = eventsAfter(events, this.at);
    if (news.length > 0) {
      this.place(news.at(-1)!.id);
      this.consumer.events(news);
    }
    return false;
  }

  /** The same of the end of the log. */
  arrive(at: EventId | undefined): boolean {
    if (!this.isPlaced) this.place(at);
    else if (at !== undefined) {
      const order = compareEventIds(at, this.at ?? ZERO_ID);
      if (!this.isTime && order !== 0 && !this.isSure) return true;
      this.isSure = true;
      if (order > 0) this.place(at);
    }
    this.consumer.live(at);
    return false;
  }

  #isMissing(at: EventId | undefined, events: readonly StoredEvent[]): boolean {
    if (this.isSure || at === undefined || this.isTime) return false;
    this.isSure = events.some((event) => event.id === at);
    return !this.isSure && isAfter(events.at(-1)!.id, at);
  }
}
