/** A follower that writes down what it is told, and believes it. */
import type { StoredEvent } from '../../../event/event.ts';
import { type EventId, ZERO_ID } from '../../../event/event-id.ts';
import type { Follower } from '../../../log/log.ts';

export class RecordingFollower implements Follower {
  readonly calls: { readonly previous: EventId; readonly ids: readonly EventId[] }[] = [];
  /** All events that it was told, in the order of the calls. */
  readonly told: StoredEvent[] = [];
  wakes = 0;

  events(previous: EventId, events: readonly StoredEvent[]): void {
    this.calls.push({ previous, ids: events.map(({ id }) => id) });
    this.told.push(...events);
  }

  wake(): void {
    this.wakes += 1;
  }

  position(): EventId {
    return this.told.at(-1)?.id ?? ZERO_ID;
  }
}
