/**
 * An event that is too large to be written at once is written in pieces. Where it has got to is a
 * place, not a copy: the event itself may be put away, and be read again for the next piece.
 *
 *   before  payload, some of it at a time …  after
 *   ├──────────────┼──────────────┼─────────────┤
 *   first piece     place.at                    no next place
 */
import { base64Of } from '../event/base64.ts';
import type { StoredEvent } from '../event/event.ts';

/** What an event looks like on the wire, around its payload. */
export interface EventShape {
  readonly before: string;
  /** How the payload is written: as it stands, as the inside of a JSON string, or as base64. */
  readonly payload: 'plain' | 'escaped' | 'base64';
  readonly after: string;
}

export interface Place {
  readonly shape: EventShape;
  /** How much of the payload is written: characters, or bytes. */
  readonly at: number;
  /** How much the next piece tries to take. */
  readonly step: number;
}

export interface Piece {
  readonly text: string;
  /** `undefined` after the last one. */
  readonly next: Place | undefined;
}

/** Characters of a payload in one piece; divisible by three, so that base64 can be joined. */
const AT_ONCE = 24_576;
/** A character can become six, and each piece should be about as long as the others. */
const AT_ONCE_ESCAPED = 8_192;
const LONGEST_ESCAPED = 49_152;

/** The JSON of an event, as its parts. */
export function eventShape(event: StoredEvent): EventShape {
  const head = `{"id":"${event.id}","type":${JSON.stringify(event.type)},"payload":`;
  const meta = event.metaJson;
  const tail = meta === undefined ? '}' : `,"meta":${meta}}`;
  if (event.codec === 'bytes') {
    return { before: `${head}"`, payload: 'base64', after: `","encoding":"base64"${tail}` };
  }
  if (isJson(event)) return { before: head, payload: 'plain', after: tail };
  return { before: `${head}"`, payload: 'escaped', after: `"${tail}` };
}

/** Whether the stored payload goes through as it is; what only claims to be JSON does not. */
export function isJson(event: StoredEvent): boolean {
  return event.codec === 'json' && event.payloadJson === event.data;
}

export function firstPlace(shape: EventShape): Place {
  return { shape, at: 0, step: AT_ONCE };
}

/** The piece at a place of an event. */
export function pieceAt(place: Place, { data }: StoredEvent): Piece {
  const { shape, at } = place;
  const { written, end, step } =
    typeof data === 'string' ? textPiece(place, data) : bytesPiece(place, data);
  const isLast = end >= data.length;
  return {
    text: `${at === 0 ? shape.before : ''}${written}${isLast ? shape.after : ''}`,
    next: isLast ? undefined : { shape, at: end, step },
  };
}

interface Written {
  readonly written: string;
  readonly end: number;
  readonly step: number;
}

function textPiece({ shape, at, step }: Place, data: string): Written {
  const end = goodCut(data, at + step);
  if (shape.payload === 'plain') return { written: data.slice(at, end), end, step };
  const written = inside(data.slice(at, end));
  if (written.length <= LONGEST_ESCAPED || step === AT_ONCE_ESCAPED) return { written, end, step };
  // What follows will hardly be different.
  return textPiece({ shape, at, step: AT_ONCE_ESCAPED }, data);
}

function inside(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Two halves of a character stay together, and so do the two characters of a line's end. */
function goodCut(text: string, wanted: number): number {
  if (wanted >= text.length) return text.length;
  const last = text.charCodeAt(wanted - 1);
  const next = text.charCodeAt(wanted);
  const isPair = last >= 0xd800 && last <= 0xdbff && next >= 0xdc00 && next <= 0xdfff;
  return isPair || (last === 0x0d && next === 0x0a) ? wanted + 1 : wanted;
}

function bytesPiece({ at, step }: Place, data: Uint8Array): Written {
  const end = Math.min(data.length, at + step);
  return { written: base64Of(data.subarray(at, end)), end, step };
}
