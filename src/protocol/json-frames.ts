/**
 * Server → client of the JSON protocol. Events are written by joining JSON fragments: a stored
 * payload is handed through as it is, never parsed into objects and built again.
 */
import type { Appended } from '../event/appended.ts';
import type { MillraceError } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import { type EventShape, eventShape } from './event-pieces.ts';
import type { Ref } from './operation.ts';
import { detailsOf } from './problem.ts';

/** About how many characters of events one frame holds; an event that is larger gets a frame of its own. */
const FRAME_TARGET = 65_536;

/** One event as JSON text: `{"id","type","payload"}`, and `encoding` and `meta` where it has them. */
export function encodeEvent(event: StoredEvent): string {
  const head = `{"id":"${event.id}","type":${JSON.stringify(event.type)},"payload":${event.payloadJson}`;
  const encoding = event.codec === 'bytes' ? ',"encoding":"base64"' : '';
  if (event.rawMeta === undefined) return `${head}${encoding}}`;
  const meta = event.metaJson;
  return meta === undefined ? `${head}${encoding}}` : `${head}${encoding},"meta":${meta}}`;
}

/** Events of one log, in order, in frames of about 64 KiB. */
export function eventsFrames(log: LogName, events: readonly StoredEvent[]): string[] {
  const frames: string[] = [];
  let fragments = '';
  for (const event of events) {
    const fragment = encodeEvent(event);
    if (fragments !== '' && fragments.length + fragment.length > FRAME_TARGET) {
      frames.push(eventsFrame(log, fragments));
      fragments = '';
    }
    fragments = fragments === '' ? fragment : `${fragments},${fragment}`;
  }
  if (fragments !== '') frames.push(eventsFrame(log, fragments));
  return frames;
}

// Log names and event IDs hold no character that JSON would have to escape.

function eventsFrame(log: LogName, fragments: string): string {
  return `{"op":"events","log":"${log}","events":[${fragments}]}`;
}

export function eventsFrameShape(log: LogName, event: StoredEvent): EventShape {
  const { before, payload, after } = eventShape(event);
  return {
    before: `{"op":"events","log":"${log}","events":[${before}`,
    payload,
    after: `${after}]}`,
  };
}

export function liveFrame(log: LogName, at: EventId): string {
  return `{"op":"live","log":"${log}","at":"${at}"}`;
}

export function trimmedFrame(log: LogName, resumeAfter: EventId): string {
  return `{"op":"trimmed","log":"${log}","resumeAfter":"${resumeAfter}"}`;
}

export function resetFrame(log: LogName, version: EventId): string {
  return `{"op":"reset","log":"${log}","version":"${version}"}`;
}

export function appendedFrame(ref: Ref, { ids, version, duplicate }: Appended): string {
  const reference = ref === undefined ? '' : `"ref":${JSON.stringify(ref)},`;
  const list = ids.map((id) => `"${id}"`).join(',');
  return `{"op":"appended",${reference}"ids":[${list}],"version":"${version}","duplicate":${duplicate}}`;
}

export function pongFrame(ref: Ref): string {
  return ref === undefined ? '{"op":"pong"}' : `{"op":"pong","ref":${JSON.stringify(ref)}}`;
}

export function errorFrame(error: MillraceError, ref: Ref, log?: LogName): string {
  const { code, message } = error;
  return JSON.stringify({ op: 'error', ref, log, code, message, ...detailsOf(error) });
}
