/**
 * A log as a live stream of server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). Events of the log are messages
 * without a name; `live`, `trimmed`, `reset` and `failed` are named. `id:` is where a browser's
 * EventSource comes back to.
 */
import type { MillraceError } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import { type EventId, ZERO_ID } from '../event/event-id.ts';
import type { Piece } from './event-pieces.ts';
import { encodeEvent } from './json-frames.ts';
import { problemOf } from './problem.ts';

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
