/** Where a reader starts: `after=<event ID>`, `after=now` or `since=<ISO time>`. */
import { InvalidInput } from '../event/error.ts';
import { type EventId, parseEventId, ZERO_ID } from '../event/event-id.ts';
import type { Start } from '../event/start.ts';

const WHOLE_LOG: Start = { after: ZERO_ID };

const EARLIEST = Date.parse('0000-01-01T00:00:00Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

// A time without a zone would mean another moment on every machine: only a bare date may go without.
const ISO_TIME = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/**
 * Reads the two fields; with neither, the whole log.
 * @throws InvalidInput (`invalid_event_id`, `invalid_time`, `invalid_query`) naming the field
 */
export function parseStart(after: string | undefined, since: string | undefined): Start {
  if (since !== undefined) {
    if (after !== undefined) {
      throw new InvalidInput(
        'since',
        'cannot be combined with after: give one of them',
        'invalid_query',
      );
    }
    return { since: parseTime(since) };
  }
  if (after === undefined) return WHOLE_LOG;
  return after === 'now' ? 'now' : { after: parseEventId(after, 'after') };
}

/**
 * The fields that {@link parseStart} reads, of which one is there; `last`: from the last so many events on.
 * @throws InvalidInput (`invalid_time`) for a time that ISO 8601 has no four digits for
 */
export function startFields(start: Start | { readonly last: number }): {
  readonly last?: number;
  readonly after?: EventId | 'now';
  readonly since?: string;
} {
  if (start === 'now') return { after: 'now' };
  if ('after' in start) return { after: start.after };
  if ('last' in start) return { last: start.last };
  const { since } = start;
  if (!(since >= EARLIEST && since <= LATEST)) {
    throw new InvalidInput(
      'since',
      'must be milliseconds since 1970, of a time in the years 0 to 9999',
      'invalid_time',
    );
  }
  return { since: new Date(since).toISOString() };
}

function parseTime(text: string): number {
  // In a query string, the + of a zone arrives as a space.
  const time = text.replace(/ (?=\d{2}:\d{2}$)/, '+');
  const day = ISO_TIME.exec(time)?.[1];
  if (day === undefined) throw invalidTime();
  const milliseconds = Date.parse(time);
  if (Number.isNaN(milliseconds) || !isDay(day)) throw invalidTime();
  return milliseconds;
}

/** `Date.parse` takes February 30 for March 1 or 2. */
function isDay(text: string): boolean {
  return new Date(Date.parse(text)).toISOString().startsWith(text);
}

function invalidTime(): InvalidInput {
  return new InvalidInput(
    'since',
    'must be an ISO 8601 time of a day that there is, with its zone, like 2018-05-21T15:03:50Z',
    'invalid_time',
  );
}
