/** What the memory store keeps of one log, and how to find a place in it. */
import type { EncodedEvent, StoredEvent } from '../../../event/event.ts';
import { compareEventIds, type EventId, ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { Stretch } from '../../../feed/feed.ts';
import type { GuardedTrims } from '../../../log/guarded-trim.ts';
import type { ProducerState } from '../../../log/producer-state.ts';

export interface LogContents {
  /** In ID order. */
  readonly events: StoredEvent[];
  version: EventId;
  /** Through which ID the log was trimmed. */
  trimmed: EventId;
  guarded?: GuardedTrims | undefined;
  readonly producers: Map<string, ProducerState>;
}

/** All that a memory store holds at one moment. */
export interface MemorySnapshot {
  readonly logs: ReadonlyMap<LogName, LogContents>;
  /** One entry for each append. */
  readonly feed: readonly Stretch[];
}

export function emptyContents(): LogContents {
  return { events: [], version: ZERO_ID, trimmed: ZERO_ID, producers: new Map() };
}

/** Events and producer states never change, so the containers are all that needs copying. */
export function copyContents(logs: ReadonlyMap<LogName, LogContents>): Map<LogName, LogContents> {
  return new Map(
    Array.from(logs, ([name, contents]) => {
      const { events, producers } = contents;
      return [name, { ...contents, events: [...events], producers: new Map(producers) }];
    }),
  );
}

/** The index of the first event with an ID at or above `id`. */
export function placeOf(events: readonly StoredEvent[], id: EventId): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareEventIds(events[middle]!.id, id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the first event with an ID above `id`. */
export function placeAfter(events: readonly StoredEvent[], id: EventId): number {
  const place = placeOf(events, id);
  return events[place]?.id === id ? place + 1 : place;
}

/** The event with bytes of its own, so that the caller may use its buffer again. */
export function withOwnBytes(event: EncodedEvent): EncodedEvent {
  return typeof event.data === 'string' ? event : { ...event, data: new Uint8Array(event.data) };
}
