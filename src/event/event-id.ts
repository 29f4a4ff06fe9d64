/**
 * Event IDs: `<milliseconds>-<sequence>`, both unsigned 64-bit decimals without leading zeros,
 * as Redis Streams makes them. They are strictly increasing within a log. Kept as strings,
 * because a JavaScript number holds only 53 bits of either half.
 */
import { InvalidInput } from './error.ts';

declare const brand: unique symbol;

/** `<milliseconds>-<sequence>`; made by a log, or by {@link parseEventId}. */
export type EventId = string & { readonly [brand]: 'EventId' };

/** Before the first event of every log. */
export const ZERO_ID = '0-0' as EventId;

const MAX_HALF = 18446744073709551615n;

/** The last ID that a log can ever give out. */
export const MAX_ID = `${MAX_HALF}-${MAX_HALF}` as EventId;

const CANONICAL = /^(?:0|[1-9]\d{0,19})-(?:0|[1-9]\d{0,19})$/;

/** Whether `text` is an event ID in its one canonical form. */
export function isEventId(text: string): text is EventId {
  if (!CANONICAL.test(text)) return false;
  const dash = text.indexOf('-');
  return fitsHalf(text, 0, dash) && fitsHalf(text, dash + 1, text.length);
}

/**
 * Reads an event ID that came from outside. A bare `<milliseconds>` stands for its first
 * event, as in Redis commands.
 * @throws InvalidInput naming `field` when the text is no event ID.
 */
export function parseEventId(text: string, field = 'event ID'): EventId {
  const candidate = /^\d+$/.test(text) ? `${text}-0` : text;
  if (isEventId(candidate)) return candidate;
  throw new InvalidInput(
    field,
    'must be an event ID like 1526919030474-55 (or 0-0 for the whole log)',
    'invalid_event_id',
  );
}

/** Negative when `a` comes before `b`, 0 when they are the same, positive when it comes after. */
export function compareEventIds(a: EventId, b: EventId): number {
  if (a === b) return 0;
  const dashA = a.indexOf('-');
  const dashB = b.indexOf('-');
  // Canonical decimals order by length, then as text: no BigInt on the hot path.
  if (dashA !== dashB) return dashA - dashB;
  const millisecondsA = a.slice(0, dashA);
  const millisecondsB = b.slice(0, dashB);
  if (millisecondsA !== millisecondsB) return millisecondsA < millisecondsB ? -1 : 1;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}

/** Whether `a` comes after `b` in a log. */
export function isAfter(a: EventId, b: EventId): boolean {
  return compareEventIds(a, b) > 0;
}

/** The later of two IDs. */
export function laterOf(a: EventId, b: EventId): EventId {
  return isAfter(a, b) ? a : b;
}

/** The two halves, exact. */
export function eventIdParts(id: EventId): { milliseconds: bigint; sequence: bigint } {
  const dash = id.indexOf('-');
  return { milliseconds: BigInt(id.slice(0, dash)), sequence: BigInt(id.slice(dash + 1)) };
}

/** Puts two halves together. */
export function makeEventId(milliseconds: bigint | number, sequence: bigint | number): EventId {
  return `${milliseconds}-${sequence}` as EventId;
}

/** The smallest ID after `id`, or `undefined` after {@link MAX_ID}. */
export function successorOf(id: EventId): EventId | undefined {
  const { milliseconds, sequence } = eventIdParts(id);
  if (sequence < MAX_HALF) return makeEventId(milliseconds, sequence + 1n);
  return milliseconds < MAX_HALF ? makeEventId(milliseconds + 1n, 0n) : undefined;
}

/** The greatest ID before `id`; {@link ZERO_ID} has none and answers itself. */
export function predecessorOf(id: EventId): EventId {
  const { milliseconds, sequence } = eventIdParts(id);
  if (sequence > 0n) return makeEventId(milliseconds, sequence - 1n);
  return milliseconds > 0n ? makeEventId(milliseconds - 1n, MAX_HALF) : ZERO_ID;
}

/** The cursor after which exactly the events given out at or after `time` (milliseconds since 1970) come. */
export function cursorBefore(time: number): EventId {
  const milliseconds = BigInt(Math.max(0, Math.floor(time)));
  return predecessorOf(makeEventId(milliseconds, 0n));
}

/**
 * The ID that a log whose last one is `last` gives out at `now` (milliseconds since 1970), by the
 * rule of Redis' `XADD *`: a clock that went back does not take IDs back.
 * `undefined` when the log has given out its last possible ID.
 */
export function nextEventId(last: EventId, now: number): EventId | undefined {
  const dash = last.indexOf('-');
  return now > Number(last.slice(0, dash)) ? makeEventId(now, 0) : successorOf(last);
}

/** Nothing is cut out where the length says it already: every event that arrives comes through here. */
function fitsHalf(text: string, start: number, end: number): boolean {
  return end - start < 20 || BigInt(text.slice(start, end)) <= MAX_HALF;
}
