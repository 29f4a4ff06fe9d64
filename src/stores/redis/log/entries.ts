/**
 * Entries as the scripts hand them out, in pages and in publications:
 *
 *   page         entry entry …
 *   publication  <previous version> LF entry entry …
 *   entry        <id> SP <length> SP <length> … LF  and then the strings of these lengths,
 *                which are the entry's names and values in turn; no lengths: "read it yourself"
 *
 * One binary string is several times cheaper to take apart than a nested reply, and both ways
 * into the process share one reader. Nobody's bytes can break it: all lengths come first.
 */

import { type Codec, StoredEvent } from '../../../event/event.ts';
import { type EventId, isEventId } from '../../../event/event-id.ts';

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const TYPE = Buffer.from('type');
const PAYLOAD = Buffer.from('payload');
const CODEC = Buffer.from('codec');
const META = Buffer.from('meta');
const JSON_CODEC = Buffer.from('json');
const BYTES_CODEC = Buffer.from('bytes');

/** What an append told its followers. */
export interface Publication {
  /** The log's version before the first of the events. */
  readonly previous: EventId;
  readonly events: readonly StoredEvent[];
}

/**
 * Reads a publication. `undefined` when it is not one, or leaves out events for their size:
 * then the log has to be read.
 */
export function decodePublication(bytes: Buffer): Publication | undefined {
  const end = bytes.indexOf(LINE_FEED);
  const previous = bytes.toString('latin1', 0, Math.max(0, end));
  if (!isEventId(previous)) return undefined;
  const events = decodeEntries(bytes, end + 1);
  return events === undefined || events.length === 0 ? undefined : { previous, events };
}

/** Reads entries from `offset` to `until`; `undefined` when they are cut short or left out. */
export function decodeEntries(
  bytes: Buffer,
  offset = 0,
  until = bytes.length,
): StoredEvent[] | undefined {
  const events: StoredEvent[] = [];
  let position = offset;
  while (position < until) {
    const end = bytes.indexOf(LINE_FEED, position);
    if (end < 0) return undefined;
    const idEnd = bytes.indexOf(SPACE, position);
    // Anybody can publish: what is taken on trust here could make the reader go in circles.
    if (idEnd < 0 || idEnd > end) return undefined;
    const id = bytes.toString('latin1', position, idEnd);
    const lengths = readLengths(bytes, idEnd, end);
    if (lengths === undefined || !isEventId(id)) return undefined;
    const start = end + 1;
    position = start;
    for (const length of lengths) position += length;
    if (position > until) return undefined;
    events.push(readEntry(id, bytes, start, lengths));
  }
  return events;
}

/** Decimals from `position` to `end`, a space before each. */
function readLengths(bytes: Buffer, position: number, end: number): number[] | undefined {
  const lengths: number[] = [];
  let length = 0;
  for (let at = position + 1; at < end; at += 1) {
    const code = bytes[at]!;
    if (code === SPACE) {
      lengths.push(length);
      length = 0;
    } else if (code >= DIGIT_0 && code <= DIGIT_9) {
      length = length * 10 + code - DIGIT_0;
    } else {
      return undefined;
    }
  }
  lengths.push(length);
  return lengths;
}

/** An entry without `type` or `payload` has the type `unknown`, and all its fields as payload. */
function readEntry(
  id: EventId,
  bytes: Buffer,
  start: number,
  lengths: readonly number[],
): StoredEvent {
  let type: string | undefined;
  let payloadStart = -1;
  let payloadEnd = -1;
  let codec: Codec = 'text';
  let meta: string | undefined;
  let position = start;
  for (let index = 0; index + 1 < lengths.length; index += 2) {
    const nameEnd = position + lengths[index]!;
    const valueEnd = nameEnd + lengths[index + 1]!;
    if (holds(bytes, position, nameEnd, TYPE)) {
      type = bytes.toString('utf8', nameEnd, valueEnd);
    } else if (holds(bytes, position, nameEnd, PAYLOAD)) {
      payloadStart = nameEnd;
      payloadEnd = valueEnd;
    } else if (holds(bytes, position, nameEnd, CODEC)) {
      codec = readCodec(bytes, nameEnd, valueEnd);
    } else if (holds(bytes, position, nameEnd, META)) {
      meta = bytes.toString('utf8', nameEnd, valueEnd);
    }
    position = valueEnd;
  }
  if (type === undefined || payloadStart < 0) {
    return new StoredEvent(id, 'unknown', 'json', fieldsAsJson(bytes, start, lengths));
  }
  const payload =
    codec === 'bytes'
      ? // A copy: a view would keep the whole page alive.
        new Uint8Array(bytes.subarray(payloadStart, payloadEnd))
      : bytes.toString('utf8', payloadStart, payloadEnd);
  return new StoredEvent(id, type, codec, payload, meta);
}

/** Whether these bytes are `word`, without making a string of them. */
function holds(bytes: Buffer, start: number, end: number, word: Buffer): boolean {
  if (end - start !== word.length) return false;
  for (let at = 0; at < word.length; at += 1) {
    if (bytes[start + at] !== word[at]) return false;
  }
  return true;
}

function fieldsAsJson(bytes: Buffer, start: number, lengths: readonly number[]): string {
  const fields: [string, string][] = [];
  let position = start;
  for (let index = 0; index + 1 < lengths.length; index += 2) {
    const nameEnd = position + lengths[index]!;
    const valueEnd = nameEnd + lengths[index + 1]!;
    fields.push([
      bytes.toString('utf8', position, nameEnd),
      bytes.toString('utf8', nameEnd, valueEnd),
    ]);
    position = valueEnd;
  }
  return JSON.stringify(Object.fromEntries(fields));
}

function readCodec(bytes: Buffer, start: number, end: number): Codec {
  if (holds(bytes, start, end, JSON_CODEC)) return 'json';
  return holds(bytes, start, end, BYTES_CODEC) ? 'bytes' : 'text';
}
