/**
 * What a client wants to append, over HTTP and over JSON sockets the same: events without IDs,
 * `{"type","payload"}`, with `encoding` and `meta` where they have them, and their producer.
 */
import { base64Of } from '../event/base64.ts';
import { InvalidInput } from '../event/error.ts';
import {
  type EncodedEvent,
  type EventLimits,
  encodeEvents,
  type JsonValue,
  type Meta,
  type NewEvent,
} from '../event/event.ts';
import { isProducerId, PRODUCER_ID_RULE, type Producer } from '../event/producer.ts';
import { bytesIn } from './event-json.ts';
import { isCount, isObject, refuseUnknown } from './json-members.ts';

const EVENT_FIELDS = ['type', 'payload', 'meta', 'encoding'];
const PRODUCER_FIELDS = ['id', 'epoch', 'seq'];
/** How large events may be is for the gateway to say. */
const ANY_SIZE: EventLimits = {
  maxPayloadBytes: Number.POSITIVE_INFINITY,
  maxMetaBytes: Number.POSITIVE_INFINITY,
  maxEventsPerAppend: Number.POSITIVE_INFINITY,
  maxAppendBytes: Number.POSITIVE_INFINITY,
};

/**
 * Brings parsed JSON into events. What the log itself checks (types, sizes) is left to it.
 * @throws InvalidInput naming the field
 */
export function readEvents(value: unknown, field: string): NewEvent[] {
  if (!Array.isArray(value)) throw invalid(field, 'must be an array of events');
  return value.map((event, index) => readEvent(event, `${field}[${index}]`));
}

/** @throws InvalidInput naming the field */
export function readEvent(value: unknown, field: string): NewEvent {
  if (!isObject(value)) throw invalid(field, 'must be an object with type and payload');
  refuseUnknown(value, EVENT_FIELDS, `${field}.`, 'invalid_event');
  const { type, payload, meta, encoding } = value;
  if (typeof type !== 'string') throw invalid(`${field}.type`, 'must be a string');
  if (payload === undefined) throw invalid(`${field}.payload`, 'must be there');
  if (meta !== undefined && !isObject(meta)) throw invalid(`${field}.meta`, 'must be an object');
  return {
    type,
    payload:
      encoding === undefined
        ? (payload as JsonValue)
        : bytesIn(payload, encoding, field, 'invalid_event'),
    meta: meta as Meta | undefined,
  };
}

/**
 * The JSON array that {@link readEvents} reads. What no log takes, as it could not give it back, is
 * refused here already.
 * @throws InvalidInput naming the field
 */
export function writeEvents(events: readonly NewEvent[]): string {
  return `[${encodeEvents(events, ANY_SIZE).map(writeEvent).join(',')}]`;
}

function writeEvent({ type, codec, data, meta }: EncodedEvent): string {
  const payload =
    typeof data === 'string'
      ? `"payload":${codec === 'json' ? data : JSON.stringify(data)}`
      : `"payload":"${base64Of(data)}","encoding":"base64"`;
  return `{"type":${JSON.stringify(type)},${payload}${meta === undefined ? '' : `,"meta":${meta}`}}`;
}

/** @throws InvalidInput naming the field */
export function readProducer(value: unknown, field: string): Producer {
  if (!isObject(value)) throw invalidProducer(field, 'must be an object with id, epoch and seq');
  refuseUnknown(value, PRODUCER_FIELDS, `${field}.`, 'invalid_operation');
  const { id, epoch, seq } = value;
  if (!isProducerId(id)) throw invalidProducer(`${field}.id`, PRODUCER_ID_RULE);
  if (!isCount(epoch)) throw invalidProducer(`${field}.epoch`, 'must be a whole number from 0');
  if (!isCount(seq)) throw invalidProducer(`${field}.seq`, 'must be a whole number from 0');
  return { id, epoch, seq };
}

function invalid(field: string, rule: string): InvalidInput {
  return new InvalidInput(field, rule, 'invalid_event');
}

function invalidProducer(field: string, rule: string): InvalidInput {
  return new InvalidInput(field, rule, 'invalid_operation');
}
