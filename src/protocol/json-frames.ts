/** Server → client of the JSON protocol: one JSON object a message. */
import type { Appended } from '../event/appended.ts';
import { InvalidInput, type MillraceError } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import { appendedIn, appendedMembers } from './appended.ts';
import { decodeEvents, encodeEvent } from './event-json.ts';
import { type EventShape, eventShape } from './event-pieces.ts';
import {
  asCount,
  asEventId,
  asLogName,
  asText,
  type JsonObject,
  objectIn,
} from './json-members.ts';
import { isRef, REF_RULE, type Ref } from './operation.ts';
import { detailsOf, type Failure, failureIn } from './problem.ts';

/** About how many characters of events one frame holds; an event that is larger gets a frame of its own. */
const FRAME_TARGET = 65_536;

/** Whom the gateway takes a client for, and how long that holds, in milliseconds; left out: it does not end. */
export interface Welcome {
  readonly account: string;
  readonly expiresIn?: number | undefined;
}

/** What a client gets. */
export type Frame =
  /** The first one, of a socket that follows nothing by itself. */
  | ({ readonly op: 'connected' } & Welcome)
  | ({ readonly op: 'authenticated'; readonly ref: Ref } & Welcome)
  | { readonly op: 'events'; readonly log: LogName; readonly events: readonly StoredEvent[] }
  | { readonly op: 'live'; readonly log: LogName; readonly at: EventId }
  | { readonly op: 'trimmed'; readonly log: LogName; readonly resumeAfter: EventId }
  | { readonly op: 'reset'; readonly log: LogName; readonly version: EventId }
  | { readonly op: 'appended'; readonly ref: Ref; readonly appended: Appended }
  | { readonly op: 'pong'; readonly ref: Ref }
  | {
      readonly op: 'error';
      readonly ref: Ref;
      /** Of the subscription that it is about. */
      readonly log: LogName | undefined;
      readonly failure: Failure;
    }
  /** Of a later gateway; to be passed over. */
  | { readonly op: 'unknown' };

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

export function appendedFrame(ref: Ref, appended: Appended): string {
  const reference = ref === undefined ? '' : `"ref":${JSON.stringify(ref)},`;
  return `{"op":"appended",${reference}${appendedMembers(appended)}}`;
}

export function connectedFrame({ account, expiresIn }: Welcome): string {
  return JSON.stringify({ op: 'connected', account, expiresIn });
}

export function authenticatedFrame(ref: Ref, { account, expiresIn }: Welcome): string {
  return JSON.stringify({ op: 'authenticated', ref, account, expiresIn });
}

export function pongFrame(ref: Ref): string {
  return ref === undefined ? '{"op":"pong"}' : `{"op":"pong","ref":${JSON.stringify(ref)}}`;
}

export function errorFrame(error: MillraceError, ref: Ref, log?: LogName): string {
  const { code, message } = error;
  return JSON.stringify({ op: 'error', ref, log, code, message, ...detailsOf(error) });
}

/**
 * Reads one message that a client got. Members that are not known are passed over.
 * @throws MillraceError `invalid_json`, InvalidInput for what is not of a gateway
 */
export function readFrame(message: string): Frame {
  const frame = objectIn(message, 'the message');
  switch (asText(frame.op, 'op')) {
    case 'events':
      return { op: 'events', log: logIn(frame), events: decodeEvents(frame.events) };
    case 'live':
      return { op: 'live', log: logIn(frame), at: asEventId(frame.at, 'at') };
    case 'trimmed': {
      const resumeAfter = asEventId(frame.resumeAfter, 'resumeAfter');
      return { op: 'trimmed', log: logIn(frame), resumeAfter };
    }
    case 'reset':
      return { op: 'reset', log: logIn(frame), version: asEventId(frame.version, 'version') };
    case 'appended':
      return { op: 'appended', ref: refIn(frame), appended: appendedIn(frame) };
    case 'connected':
      return { op: 'connected', ...welcomeIn(frame) };
    case 'authenticated':
      return { op: 'authenticated', ref: refIn(frame), ...welcomeIn(frame) };
    case 'pong':
      return { op: 'pong', ref: refIn(frame) };
    case 'error': {
      const log = frame.log === undefined ? undefined : logIn(frame);
      return { op: 'error', ref: refIn(frame), log, failure: failureIn(frame, frame.message) };
    }
    default:
      return { op: 'unknown' };
  }
}

function welcomeIn({ account, expiresIn }: JsonObject): Welcome {
  return {
    account: asText(account, 'account'),
    ...(expiresIn !== undefined && { expiresIn: asCount(expiresIn, 'expiresIn') }),
  };
}

function logIn({ log }: JsonObject): LogName {
  return asLogName(log, 'log');
}

function refIn({ ref }: JsonObject): Ref {
  if (isRef(ref)) return ref;
  throw new InvalidInput('ref', REF_RULE);
}
