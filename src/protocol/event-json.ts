/**
 * An event as a gateway delivers it, in frames, pages and event streams: `{"id","type","payload"}`,
 * and `encoding` and `meta` where it has them. It is written by joining JSON fragments: a stored
 * payload is handed through as it is, never parsed into objects and built again.
 */
import { bytesOf, isBase64 } from '../event/base64.ts';
import { InvalidInput } from '../event/error.ts';
import { StoredEvent } from '../event/event.ts';
import { asArray, asEventId, asObject, asText } from './json-members.ts';

/** One event as JSON text. */
export function encodeEvent(event: StoredEvent): string {
  const head = `{"id":"${event.id}","type":${JSON.stringify(event.type)},"payload":${event.payloadJson}`;
  const encoding = event.codec === 'bytes' ? ',"encoding":"base64"' : '';
  if (event.rawMeta === undefined) return `${head}${encoding}}`;
  const meta = event.metaJson;
  return meta === undefined ? `${head}${encoding}}` : `${head}${encoding},"meta":${meta}}`;
}

/**
 * The event that a client got. Its payload and meta are those that were stored; the JSON text of
 * them is not, as numbers have lost the digits that JavaScript cannot hold.
 * @param value parsed JSON; members that are not known are passed over
 * @param field its place, as in `events[0]`
 * @throws InvalidInput naming the field
 */
export function decodeEvent(value: unknown, field: string): StoredEvent {
  const { id, type, payload, encoding, meta } = asObject(value, field);
  const eventId = asEventId(id, `${field}.id`);
  const eventType = asText(type, `${field}.type`);
  const rawMeta = meta === undefined ? undefined : JSON.stringify(asObject(meta, `${field}.meta`));
  if (encoding !== undefined) {
    return new StoredEvent(eventId, eventType, 'bytes', bytesIn(payload, encoding, field), rawMeta);
  }
  if (payload === undefined) throw new InvalidInput(`${field}.payload`, 'must be there');
  return typeof payload === 'string'
    ? new StoredEvent(eventId, eventType, 'text', payload, rawMeta)
    : new StoredEvent(eventId, eventType, 'json', JSON.stringify(payload), rawMeta);
}

/** The member `events` of frames and pages. @throws InvalidInput naming the field */
export function decodeEvents(value: unknown): StoredEvent[] {
  return asArray(value, 'events').map((event, index) => decodeEvent(event, `events[${index}]`));
}

/**
 * A payload that is bytes, and says so. `encoding` is the one member that must not be passed over:
 * the payload would be another one.
 * @throws InvalidInput (`code`) naming the field
 */
export function bytesIn(
  payload: unknown,
  encoding: unknown,
  field: string,
  code?: string,
): Uint8Array {
  if (encoding !== 'base64') {
    throw new InvalidInput(`${field}.encoding`, 'must be "base64" or left out', code);
  }
  if (typeof payload !== 'string' || !isBase64(payload)) {
    throw new InvalidInput(
      `${field}.payload`,
      'must be base64 with padding, because encoding says so',
      code,
    );
  }
  return bytesOf(payload);
}
