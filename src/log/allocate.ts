/** Which IDs the events of one append get: next to each other, by the rule of Redis' `XADD *`. */
import { type EventId, nextEventId, successorOf } from '../event/event-id.ts';

/** The IDs given out by one append. All after the first are its successors, so two values tell them all. */
export interface IdRange {
  readonly first: EventId;
  readonly count: number;
}

/**
 * The IDs for `count` events on a log whose last ID is `last`, at `now` (milliseconds since 1970);
 * `undefined` when the log has not that many left.
 */
export function allocateIds(last: EventId, now: number, count: number): EventId[] | undefined {
  const first = nextEventId(last, now);
  return first === undefined ? undefined : idsOf({ first, count });
}

/** Every ID of the range; `undefined` when it would go beyond the last possible one. */
export function idsOf(range: IdRange): EventId[] | undefined {
  const ids = [range.first];
  while (ids.length < range.count) {
    const next = successorOf(ids[ids.length - 1]!);
    if (next === undefined) return undefined;
    ids.push(next);
  }
  return ids;
}
