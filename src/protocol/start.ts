/** Where a reader starts: `after=<event ID>`, `after=now`, `since=<ISO time>` or `last=<how many>`. */
import { InvalidInput } from '../event/error.ts';
import { type EventId, parseEventId, ZERO_ID } from '../event/event-id.ts';
import { MAX_LAST, type Start } from '../event/start.ts';

const WHOLE_LOG: Start = { after: ZERO_ID };

const EARLIEST = Date.parse('0000-01-01T00:00:00Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

// A time without a zone would mean another moment on every machine: only a bare date may go without.
const ISO_TIME = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** The fields as they came: `last` a number in JSON, digits in an address. */
export interface StartFields {
  readonly after?: string | undefined;
  readonly since?: string | undefined;
  readonly last?: string | number | undefined;
}

/**
 * Reads the field that is there; with none, the whole log.
 * @throws InvalidInput (`invalid_event_id`, `invalid_time`, `invalid_query`) naming the field
 */
export function parseStart({ after, since, last }: StartFields): Start {
  if (last !== undefined) {
    refuseBoth('last', { after, since });
    return { last: parseCount(last) };
  }
  if (since !== undefined) {
    refuseBoth('since', { after });
    return { since: parseTime(since) };
  }
  if (after === undefined) return WHOLE_LOG;
  return after === 'now' ? 'now' : { after: parseEventId(after, 'after') };
}

/**
 * The fields that {@link parseStart} reads, of which one is there.
 * @throws InvalidInput (`invalid_time`) for a time that ISO 8601 has no four digits for
 */
export function startFields(start: Start): {
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

function refuseBoth(field: string, others: StartFields): void {
  for (const [name, value] of Object.entries(others)) {
    if (value === undefined) continue;
    throw invalidQuery(field, `cannot be combined with ${name}: give one of them`);
  }
}

function parseCount(last: string | number): number {
  const count = typeof last === 'number' || /^\d{1,5}$/.test(last) ? Number(last) : Number.NaN;
  if (Number.isInteger(count) && count >= 1 && count <= MAX_LAST) return count;
  throw invalidQuery('last', `must be a whole number from 1 to ${MAX_LAST}`);
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

function invalidQuery(field: string, rule: string): InvalidInput {
  return new InvalidInput(field, rule, 'invalid_query');
}

function invalidTime(): InvalidInput {
  return new InvalidInput(
    'since',
    'must be an ISO 8601 time of a day that there is, with its zone, like 2018-05-21T15:03:50Z',
    'invalid_time',
  );
}
