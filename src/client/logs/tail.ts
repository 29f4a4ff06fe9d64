/**
 * The last stretch of a log, in memory: from it later readers are served without asking anybody.
 *
 *     from ──► [event, event, … event] ──► cursor        no hole between `from` and `cursor`
 */
import type { StoredEvent } from '../../event/event.ts';
import { compareEventIds, type EventId, isAfter, ZERO_ID } from '../../event/event-id.ts';

const MOST_EVENTS = 1_000;
const MOST_BYTES = 1_048_576;

export class Tail {
  /** The events lie after this; undefined: after something before the first of them. */
  from: EventId | undefined;
  /** Everything up to here is known; undefined: nothing is. */
  cursor: EventId | undefined;
  events: StoredEvent[] = [];
  /** It began with the last so many events of the log, and has them all: 0 if not. */
  last = 0;
  #bytes = 0;

  constructor(from?: EventId, last = 0) {
    this.from = this.cursor = from;
    this.last = last;
  }

  /** @param least so many are kept, whatever they weigh */
  add(events: readonly StoredEvent[], least = 0): void {
    for (const event of events) {
      this.events.push(event);
      this.#bytes += event.size;
    }
    this.cursor = events.at(-1)?.id ?? this.cursor;
    const most = Math.max(MOST_EVENTS, least);
    let gone = 0;
    let bytes = this.#bytes;
    for (
      let left = this.events.length;
      left > most || (bytes > MOST_BYTES && left > least);
      left -= 1
    ) {
      bytes -= this.events[gone]!.size;
      gone += 1;
    }
    // Not for each event: what moves the rest is worth it only for many of them.
    if (gone * 4 < this.events.length && bytes * 2 > this.#bytes) return;
    this.#bytes = bytes;
    this.from = this.events[gone - 1]?.id ?? this.from;
    if (gone > 0) this.last = 0;
    this.events.splice(0, gone);
  }

  /** Whether a reader that has seen this event can go on from here. */
  knows(id: EventId): boolean {
    return id === this.from || id === this.cursor || this.events.some((event) => event.id === id);
  }

  /** Whether everything after this place is here, whether or not there was an event at it. */
  reaches(place: EventId): boolean {
    const first = this.from ?? this.events[0]?.id;
    return first !== undefined && compareEventIds(place, first) >= 0;
  }

  /** Whether the last so many events of the log are here, or all that it has. */
  has(count: number): boolean {
    return this.events.length >= count || this.last >= count || this.from === ZERO_ID;
  }
}

/** Those after a place. */
export function eventsAfter(
  events: readonly StoredEvent[],
  place: EventId | undefined,
): readonly StoredEvent[] {
  if (place === undefined || events.length === 0 || isAfter(events[0]!.id, place)) return events;
  if (!isAfter(events.at(-1)!.id, place)) return [];
  return events.slice(events.findIndex((event) => isAfter(event.id, place)));
}
