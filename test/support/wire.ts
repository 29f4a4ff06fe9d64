/** What test clients make of the gateway's JSON frames: parsed here, trusted afterwards. */
import { type EventId, parseEventId } from '../../src/event/event-id.ts';
import type { SeenEvent } from './history.ts';

export type ServerFrame =
  | { readonly op: 'events'; readonly log: string; readonly events: readonly SeenEvent[] }
  | { readonly op: 'live'; readonly log: string; readonly at: EventId }
  | { readonly op: 'trimmed'; readonly log: string; readonly resumeAfter: EventId }
  | { readonly op: 'reset'; readonly log: string; readonly version: EventId }
  | { readonly op: 'appended'; readonly ref: number; readonly ids: readonly EventId[] }
  | { readonly op: 'error'; readonly ref: number; readonly code: string; readonly text: string }
  | { readonly op: 'other' };

export function parseFrame(text: string): ServerFrame {
  const frame = JSON.parse(text) as Record<string, unknown>;
  const log = String(frame.log);
  switch (frame.op) {
    case 'events':
      return { op: 'events', log, events: parseEvents(frame.events as unknown[]) };
    case 'live':
      return { op: 'live', log, at: id(frame.at) };
    case 'trimmed':
      return { op: 'trimmed', log, resumeAfter: id(frame.resumeAfter) };
    case 'reset':
      return { op: 'reset', log, version: id(frame.version) };
    case 'appended':
      return { op: 'appended', ref: Number(frame.ref), ids: (frame.ids as []).map(id) };
    case 'error':
      return { op: 'error', ref: Number(frame.ref), code: String(frame.code), text };
    default:
      return { op: 'other' };
  }
}

export function parseEvents(events: readonly unknown[]): SeenEvent[] {
  return events.map(parseEvent);
}

function parseEvent(value: unknown): SeenEvent {
  const event = value as { id: unknown; payload: unknown };
  return { id: id(event.id), tag: tagOf(String(event.payload)) };
}

function id(value: unknown): EventId {
  return parseEventId(String(value));
}

const FILLER = '|';

/** A payload of about `bytes` that carries `tag`. */
export function payloadWith(tag: string, bytes = 0): string {
  return bytes <= tag.length ? tag : `${tag}${FILLER}${'x'.repeat(bytes - tag.length)}`;
}

export function tagOf(payload: string): string {
  const end = payload.indexOf(FILLER);
  return end === -1 ? payload : payload.slice(0, end);
}
