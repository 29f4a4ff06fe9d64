/** An append over HTTP: events in the body, conditions in the headers. */
import { InvalidInput } from '../event/error.ts';
import type { NewEvent } from '../event/event.ts';
import { type EventId, isEventId } from '../event/event-id.ts';
import { isProducerId, PRODUCER_ID_RULE, type Producer } from '../event/producer.ts';
import { readEvent, readEvents, writeEvents } from './new-events.ts';
import { protocolError } from './problem.ts';

const VERSION_TAG = /^"([^"]*)"$/;
const VERSION_RULE =
  'must be one version in double quotes, like "1526919030474-55", or "0-0" for a log that must not have had an event yet';
const OTHER_CONDITIONS = ['If-None-Match', 'If-Unmodified-Since'];
const PRODUCER_HEADERS = ['Producer-Id', 'Producer-Epoch', 'Producer-Seq'] as const;

/** An append, without the log that its address names. */
export interface AppendRequest {
  readonly events: readonly NewEvent[];
  readonly expected?: EventId | undefined;
  readonly producer?: Producer | undefined;
}

/**
 * `body` is one event or an array of them.
 * @throws InvalidInput naming the field or the header; MillraceError `invalid_json`
 */
export function readAppend(
  body: string,
  header: (name: string) => string | undefined,
): AppendRequest {
  const value = parse(body);
  const events = Array.isArray(value)
    ? readEvents(value, 'events')
    : [readEvent(value, 'events[0]')];
  return { events, expected: readExpected(header), producer: readProducer(header) };
}

/**
 * Writes what {@link readAppend} reads.
 * @throws InvalidInput naming the field, for what JSON could not give back
 */
export function writeAppend({ events, expected, producer }: AppendRequest): {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  return {
    body: writeEvents(events),
    headers: {
      'Content-Type': 'application/json',
      ...(expected !== undefined && { 'If-Match': `"${expected}"` }),
      ...(producer !== undefined && {
        'Producer-Id': producer.id,
        'Producer-Epoch': String(producer.epoch),
        'Producer-Seq': String(producer.seq),
      }),
    },
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw protocolError('invalid_json', 'the body must be JSON: one event or an array of events');
  }
}

function readExpected(header: (name: string) => string | undefined): EventId | undefined {
  // Whoever sets a condition must not lose it.
  const other = OTHER_CONDITIONS.find((name) => header(name) !== undefined);
  if (other !== undefined) throw invalid(other, `is not taken here; If-Match ${VERSION_RULE}`);
  const text = header('If-Match');
  if (text === undefined) return undefined;
  const version = VERSION_TAG.exec(text)?.[1];
  if (version !== undefined && isEventId(version)) return version;
  throw invalid('If-Match', `${VERSION_RULE}${whyNot(text)}`);
}

/** RFC 9110 section 13.1.1 allows more than we take. */
function whyNot(tag: string): string {
  if (tag === '*') return '; * is not taken, because every log is there: leave the header out';
  if (tag.includes(',')) return '; a list is not taken, because a log is at one version';
  if (!tag.startsWith('W/')) return '';
  return '; a weak tag (W/) is not taken, because weak tags never match: send the version without W/';
}

function readProducer(header: (name: string) => string | undefined): Producer | undefined {
  const [id, epoch, seq] = PRODUCER_HEADERS.map(header) as [string?, string?, string?];
  if (id === undefined && epoch === undefined && seq === undefined) return undefined;
  if (!isProducerId(id)) throw invalid('Producer-Id', PRODUCER_ID_RULE);
  return { id, epoch: readCount('Producer-Epoch', epoch), seq: readCount('Producer-Seq', seq) };
}

function readCount(name: string, text: string | undefined): number {
  const count = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(count)) return count;
  throw invalid(name, 'must be a whole number from 0, together with the other Producer headers');
}

function invalid(name: string, rule: string): InvalidInput {
  return new InvalidInput(name, rule, 'invalid_header');
}
