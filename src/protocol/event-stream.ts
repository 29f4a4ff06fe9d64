/**
 * A log as a live stream of server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). Events of the log are messages
 * without a name; `live`, `trimmed`, `reset` and `failed` are named. `id:` is where a browser's
 * EventSource comes back to.
 */
import type { MillraceError } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import { type EventId, ZERO_ID } from '../event/event-id.ts';
import { decodeEvent, encodeEvent } from './event-json.ts';
import type { Piece } from './event-pieces.ts';
import { asEventId, objectIn } from './json-members.ts';
import { type Failure, problemIn, problemOf } from './problem.ts';
import type { ServerSentEvent } from './server-sent-events.ts';

/** A message of a stream, as a client gets it. */
export type StreamMessage =
  | { readonly kind: 'event'; readonly event: StoredEvent }
  | { readonly kind: 'live'; readonly at: EventId }
  | { readonly kind: 'trimmed'; readonly resumeAfter: EventId }
  | { readonly kind: 'reset'; readonly version: EventId }
  /** The last one. */
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Of a later gateway; to be passed over. */
  | { readonly kind: 'unknown' };

/** What a stream begins with: in how many milliseconds a browser comes back. */
export const OPENING = 'retry: 1000\n\n';

/** A comment, which says nothing. */
export const KEEP_ALIVE = ':\n\n';

const NEW_LINE = /\r\n|\r|\n/;

export function eventMessages(events: readonly StoredEvent[]): string {
  return events.map(eventMessage).join('');
}

function eventMessage(event: StoredEvent): string {
  return `id: ${event.id}\ndata: ${lines(encodeEvent(event))}\n\n`;
}

/**
 * A piece of the message that is an event.
 * @param id of the event, for its first piece
 */
export function messagePiece({ text, next }: Piece, id: EventId | undefined): string {
  const start = id === undefined ? '' : `id: ${id}\ndata: `;
  return `${start}${lines(text)}${next === undefined ? '\n\n' : ''}`;
}

/** @param isCursor whether `at` may be come back to */
export function liveMessage(at: EventId, isCursor: boolean): string {
  return named('live', { at }, isCursor ? at : undefined);
}

export function trimmedMessage(resumeAfter: EventId): string {
  return named('trimmed', { resumeAfter }, resumeAfter);
}

/** The ID is what a reader would come back with: afresh. */
export function resetMessage(version: EventId): string {
  return named('reset', { version }, ZERO_ID);
}

/** The last message of its stream. */
export function failedMessage(error: MillraceError): string {
  return named('failed', problemOf(error));
}

function named(name: string, data: object, id?: EventId): string {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  return `event: ${name}\n${idLine}data: ${JSON.stringify(data)}\n\n`;
}

/** A stored payload may hold new lines; each line of it gets its own `data:`. */
function lines(json: string): string {
  return NEW_LINE.test(json) ? json.split(NEW_LINE).join('\ndata: ') : json;
}

/**
 * Reads a message that a client got. Members that are not known are passed over.
 * @throws MillraceError `invalid_json`, InvalidInput for what is not of a gateway
 */
export function readMessage({
  event,
  data,
}: Pick<ServerSentEvent, 'event' | 'data'>): StreamMessage {
  const value = () => objectIn(data, 'the data');
  switch (event) {
    case 'message':
      return { kind: 'event', event: decodeEvent(value(), 'the event') };
    case 'live':
      return { kind: 'live', at: asEventId(value().at, 'at') };
    case 'trimmed':
      return { kind: 'trimmed', resumeAfter: asEventId(value().resumeAfter, 'resumeAfter') };
    case 'reset':
      return { kind: 'reset', version: asEventId(value().version, 'version') };
    case 'failed':
      return { kind: 'failed', failure: problemIn(value()) };
    default:
      return { kind: 'unknown' };
  }
}
