/** One log that is followed: where it is, over all connections. */
import type { StoredEvent } from '../../event/event.ts';
import { type EventId, isAfter, laterOf, ZERO_ID } from '../../event/event-id.ts';
import type { ClientStart, Receiver } from '../upstream.ts';
import type { LogFrame } from './transport.ts';

export class FollowedLog {
  /** Where another connection takes it up. */
  start: ClientStart;
  /** Whether everything has been received that the log had. */
  isLive = false;
  /** What was received last, or is known to be missed: nothing up to here counts any more. */
  #cursor: EventId | undefined;

  constructor(start: ClientStart) {
    this.start = start;
    if (typeof start === 'object' && 'after' in start) this.#cursor = start.after;
  }

  /** Hands on what is new. */
  take(frame: Exclude<LogFrame, { readonly op: 'error' }>, receiver: Receiver): void {
    const { log } = frame;
    switch (frame.op) {
      case 'events': {
        const events = this.#newOf(frame.events);
        if (events.length === 0) return;
        this.#moveTo(events.at(-1)!.id);
        receiver.events(log, events);
        break;
      }
      case 'live': {
        // After `since` it may be a place in the future, where no event has been.
        const isPlace = typeof this.start !== 'object' || !('since' in this.start);
        if (this.isLive && (!isPlace || frame.at === this.#cursor)) return;
        this.isLive = true;
        if (isPlace) this.#moveTo(laterOf(frame.at, this.#cursor ?? ZERO_ID));
        receiver.live(log, isPlace ? this.#cursor : undefined);
        break;
      }
      case 'trimmed':
        this.isLive = false;
        this.#moveTo(frame.resumeAfter);
        receiver.trimmed(log, frame.resumeAfter);
        break;
      case 'reset':
        this.isLive = false;
        this.#moveTo(ZERO_ID);
        receiver.reset(log, frame.version);
    }
  }

  #moveTo(cursor: EventId): void {
    this.#cursor = cursor;
    this.start = { after: cursor };
  }

  /** Something in between may repeat what it has passed on. */
  #newOf(events: readonly StoredEvent[]): readonly StoredEvent[] {
    const cursor = this.#cursor;
    if (cursor === undefined || events.length === 0 || isAfter(events[0]!.id, cursor))
      return events;
    return events.filter(({ id }) => isAfter(id, cursor));
  }
}
