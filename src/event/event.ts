/**
 * Events as a caller makes them, as a log stores them and as a reader gets them.
 *
 *   NewEvent --encodeEvent--> EncodedEvent --append--> StoredEvent (payload parsed when asked for)
 */
import { base64Of } from './base64.ts';
import { InvalidInput } from './error.ts';
import type { EventId } from './event-id.ts';
import { lostNumber } from './lost-number.ts';
import { textOf } from './thrown.ts';

/** Anything that JSON can say. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** What an event carries: a string, any other JSON value, or bytes. */
export type Payload = JsonValue | Uint8Array;

/** What belongs to an event without being its content: who, why, in which version. */
export type Meta = { readonly [key: string]: JsonValue | undefined };

/** An event that no log has yet. */
export interface NewEvent {
  /** What happened: 1 to 256 characters without control characters, usually in the past tense. */
  readonly type: string;
  readonly payload: Payload;
  readonly meta?: Meta | undefined;
}

/** How `data` is to be read: as the string that it is, as JSON text, or as bytes. */
export type Codec = 'text' | 'json' | 'bytes';

/** An event in its stored form, still without ID. */
export interface EncodedEvent {
  readonly type: string;
  readonly codec: Codec;
  /** Bytes for the codec `bytes`, otherwise text. */
  readonly data: string | Uint8Array;
  /** JSON text of an object. */
  readonly meta?: string | undefined;
  /** Length of type, data and meta as stored, in bytes. */
  readonly size: number;
}

/** The limits of one append; all sizes in bytes. */
export interface EventLimits {
  readonly maxPayloadBytes: number;
  readonly maxMetaBytes: number;
  readonly maxEventsPerAppend: number;
  /** All events of one append together. */
  readonly maxAppendBytes: number;
}

export const DEFAULT_EVENT_LIMITS: EventLimits = {
  maxPayloadBytes: 1_048_576,
  maxMetaBytes: 16_384,
  maxEventsPerAppend: 1_000,
  maxAppendBytes: 8_388_608,
};

const MAX_TYPE_LENGTH = 256;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;

/**
 * Checks the events of one append and brings them into their stored form.
 * @throws InvalidInput (`invalid_event` or `too_large`) that names the event and the field.
 */
export function encodeEvents(
  events: readonly NewEvent[],
  limits: EventLimits = DEFAULT_EVENT_LIMITS,
): EncodedEvent[] {
  if (events.length === 0) throw invalid('events', 'must hold at least one event');
  if (events.length > limits.maxEventsPerAppend) {
    throw tooLarge('events', `must be at most ${limits.maxEventsPerAppend}, got ${events.length}`);
  }
  const encoded = events.map((event, index) => encodeEvent(event, `events[${index}]`, limits));
  const bytes = encoded.reduce((sum, event) => sum + event.size, 0);
  if (bytes > limits.maxAppendBytes) {
    throw tooLarge(
      'events',
      `must be at most ${limits.maxAppendBytes} bytes together, got ${bytes}`,
    );
  }
  return encoded;
}

function encodeEvent(event: NewEvent, field: string, limits: EventLimits): EncodedEvent {
  const { type, payload, meta } = event;
  if (typeof type !== 'string' || type.length === 0 || type.length > MAX_TYPE_LENGTH) {
    throw invalid(`${field}.type`, `must be a string of 1 to ${MAX_TYPE_LENGTH} characters`);
  }
  if (CONTROL_CHARACTER.test(type) || !type.isWellFormed()) {
    throw invalid(`${field}.type`, 'must be well-formed text without control characters');
  }
  const { codec, data } = encodePayload(payload, `${field}.payload`);
  const dataBytes = byteLength(data);
  if (dataBytes > limits.maxPayloadBytes) {
    throw tooLarge(
      `${field}.payload`,
      `must be at most ${limits.maxPayloadBytes} bytes, got ${dataBytes}`,
    );
  }
  const metaText = meta === undefined ? undefined : encodeMeta(meta, `${field}.meta`, limits);
  const size = byteLength(type) + dataBytes + (metaText === undefined ? 0 : byteLength(metaText));
  return { type, codec, data, meta: metaText, size };
}

function encodePayload(
  payload: Payload,
  field: string,
): { codec: Codec; data: string | Uint8Array } {
  if (typeof payload === 'string') {
    if (!payload.isWellFormed())
      throw invalid(field, 'must be well-formed Unicode (a lone surrogate was found)');
    return { codec: 'text', data: payload };
  }
  if (payload instanceof Uint8Array) return { codec: 'bytes', data: payload };
  return { codec: 'json', data: stringify(payload, field) };
}

function encodeMeta(meta: Meta, field: string, limits: EventLimits): string {
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta)) {
    throw invalid(field, 'must be an object');
  }
  const text = stringify(meta, field);
  const bytes = byteLength(text);
  if (bytes > limits.maxMetaBytes) {
    throw tooLarge(field, `must be at most ${limits.maxMetaBytes} bytes as JSON, got ${bytes}`);
  }
  return text;
}

function stringify(value: JsonValue | Meta, field: string): string {
  let text: string | undefined;
  let lost: string | undefined;
  try {
    text = JSON.stringify(value);
    lost = text === undefined ? undefined : lostNumber(value, text, field);
  } catch (cause) {
    throw invalid(field, `must be a JSON value (${textOf(cause).split('\n')[0]})`);
  }
  if (text === undefined) throw invalid(field, 'must be a string, a JSON value or a Uint8Array');
  if (lost !== undefined) {
    throw invalid(
      lost,
      'must be a number that JSON can hold: from -1.7e308 to 1.7e308, and no NaN',
    );
  }
  return text;
}

/**
 * An event as a log holds it. `data` is what was stored; `payload` and `meta` are parsed when
 * first asked for, because a gateway hands JSON through without ever looking into it.
 * Nothing in here throws, whoever wrote the stored bytes.
 */
export class StoredEvent {
  readonly id: EventId;
  readonly type: string;
  readonly codec: Codec;
  readonly data: string | Uint8Array;
  /** The stored meta as it is; only {@link meta} and {@link metaJson} have checked it. */
  readonly rawMeta: string | undefined;

  constructor(
    id: EventId,
    type: string,
    codec: Codec,
    data: string | Uint8Array,
    rawMeta?: string | undefined,
  ) {
    this.id = id;
    this.type = type;
    this.codec = codec;
    this.data = data;
    this.rawMeta = rawMeta;
  }

  /** The string, JSON value or bytes that were appended. JSON that cannot be parsed comes as text. */
  get payload(): Payload {
    if (this.codec !== 'json') return this.data;
    try {
      return JSON.parse(this.data as string) as JsonValue;
    } catch {
      return this.data;
    }
  }

  /** The meta object, if the event has one that can be read. */
  get meta(): Meta | undefined {
    return parseMeta(this.rawMeta);
  }

  /** The payload as valid JSON text: stored JSON as it stands, bytes as a base64 string. */
  get payloadJson(): string {
    if (typeof this.data !== 'string') return `"${base64Of(this.data)}"`;
    if (this.codec === 'json' && isJson(this.data)) return this.data;
    return JSON.stringify(this.data);
  }

  /** The meta as valid JSON text of an object, if there is one that can be read. */
  get metaJson(): string | undefined {
    return this.meta === undefined ? undefined : this.rawMeta;
  }

  /** About how many bytes it takes as stored. */
  get size(): number {
    return this.type.length + this.data.length + (this.rawMeta?.length ?? 0) + this.id.length;
  }

  toJSON(): { id: EventId; type: string; payload: JsonValue; encoding?: 'base64'; meta?: Meta } {
    const { id, type, payload, meta } = this;
    return {
      id,
      type,
      ...(payload instanceof Uint8Array
        ? { payload: base64Of(payload), encoding: 'base64' as const }
        : { payload }),
      ...(meta === undefined ? {} : { meta }),
    };
  }
}

/** The stored form of an event, now that it has an ID. */
export function storedEvent(id: EventId, event: EncodedEvent): StoredEvent {
  return new StoredEvent(id, event.type, event.codec, event.data, event.meta);
}

function parseMeta(text: string | undefined): Meta | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Meta)
      : undefined;
  } catch {
    return undefined;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const encoder = new TextEncoder();
/** Encoding into the same bytes again and again costs no buffer for every string. */
const scratch = new Uint8Array(4096);

function byteLength(data: string | Uint8Array): number {
  if (typeof data !== 'string') return data.length;
  // A UTF-16 unit takes at most three bytes.
  if (data.length * 3 <= scratch.length) return encoder.encodeInto(data, scratch).written;
  return encoder.encode(data).length;
}

function invalid(field: string, rule: string): InvalidInput {
  return new InvalidInput(field, rule, 'invalid_event');
}

function tooLarge(field: string, rule: string): InvalidInput {
  return new InvalidInput(field, rule, 'too_large');
}
