/**
 * The article's plain text protocol, for a person with a WebSocket client:
 *
 *   ping                         → pong
 *   event:2                      → SOME_EVENT for account 2
 *   event:2:Greeted:Hello there  → an event of that type and payload for account 2
 *
 * Each event arrives as one message, `Event(…)`; what goes wrong as `error: …`; `trimmed` and
 * `reset` as `notice: …`.
 */
import type { MillraceError } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import { accountLog } from '../event/log-name.ts';
import { type EventShape, isJson } from './event-pieces.ts';
import type { Operation, Refusal } from './operation.ts';
import { presentable, protocolError } from './problem.ts';
import type { WireFormat } from './wire-format.ts';

export const textFormat: WireFormat = {
  parse: parseLine,
  events: (_log, events) => events.map(printEvent),
  shape: (_log, event) => printedShape(event),
  live: () => undefined,
  trimmed: (log, resumeAfter) =>
    `notice: trimmed: events of ${log} up to ${resumeAfter} are no longer kept; going on after it`,
  reset: (log, version) =>
    `notice: reset: the store lost events of ${log}, which is now at ${version}; starting again from its first kept event`,
  // The article answers nothing: whoever follows the log sees the event itself.
  appended: () => undefined,
  pong: () => 'pong',
  error: (error) => `error: ${error.message} (${error.code})`,
};

/** An event as the article prints it. */
export function printEvent(event: StoredEvent): string {
  const payload = event.codec === 'text' ? event.data : event.payloadJson;
  return `Event(\n  id: ${event.id},\n  type: ${event.type},\n  payload: ${payload}\n)`;
}

/** The same in pieces. */
function printedShape(event: StoredEvent): EventShape {
  const head = `Event(\n  id: ${event.id},\n  type: ${event.type},\n  payload: `;
  const tail = '\n)';
  if (event.codec === 'bytes') return { before: `${head}"`, payload: 'base64', after: `"${tail}` };
  if (event.codec === 'text' || isJson(event))
    return { before: head, payload: 'plain', after: tail };
  return { before: `${head}"`, payload: 'escaped', after: `"${tail}` };
}

function parseLine(message: string, accountId: string): Operation | Refusal {
  // Some clients send the newline that ended the line.
  const line = message.replace(/\r?\n$/, '');
  if (line === 'ping') return { op: 'ping', ref: undefined };
  if (!line.startsWith('event:')) return refused(unknown());
  try {
    return parseEvent(line.slice('event:'.length), accountId);
  } catch (error) {
    return refused(presentable(error));
  }
}

function parseEvent(rest: string, sender: string): Operation | Refusal {
  const [recipient, type, ...payload] = rest.split(':') as [string, ...string[]];
  const log = accountLog(recipient, 'the account ID in event:<account ID>');
  if (type === undefined) {
    const text = `Some payload for account(${recipient}) from account(${sender})`;
    return { op: 'append', ref: undefined, log, events: [{ type: 'SOME_EVENT', payload: text }] };
  }
  if (payload.length === 0) return refused(unknown());
  return { op: 'append', ref: undefined, log, events: [{ type, payload: payload.join(':') }] };
}

function unknown(): MillraceError {
  return protocolError(
    'unknown_operation',
    'expected ping, event:<account ID> or event:<account ID>:<type>:<payload>',
  );
}

function refused(error: MillraceError): Refusal {
  return { op: 'refused', ref: undefined, error };
}
