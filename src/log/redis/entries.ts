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

import { type Codec, StoredEvent } from '../../event/event.ts';
import { type EventId, isEventId } from '../../event/event-id.ts';

const LINE_FEED = 0x0a;

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

/** Reads entries from `offset` to the end; `undefined` when they are cut short or left out. */
export function decodeEntries(bytes: Buffer, offset = 0): StoredEvent[] | undefined {
  const events: StoredEvent[] = [];
  let position = offset;
  while (position < bytes.length) {
    const end = bytes.indexOf(LINE_FEED, position);
    if (end < 0) return undefined;
    const [id, ...lengths] = bytes.toString('latin1', position, end).split(' ');
    // Anybody can publish: what is taken on trust here could make the reader go in circles.
    if (id === undefined || !isEventId(id) || lengths.length === 0) return undefined;
    position = end + 1;
    const start = position;
    for (const length of lengths) {
      if (!(Number(length) >= 0)) return undefined;
      position += Number(length);
    }
    if (position > bytes.length) return undefined;
    events.push(readEntry(id, bytes, start, lengths));
  }
  return events;
}

/** An entry without `type` or `payload` has the type `unknown`, and all its fields as payload. */
function readEntry(id: EventId, bytes: Buffer, start: number, lengths: string[]): StoredEvent {
  let type: string | undefined;
  let payloadStart = -1;
  let payloadEnd = -1;
  let codec: Codec = 'text';
  let meta: string | undefined;
  let position = start;
  for (let index = 0; index + 1 < lengths.length; index += 2) {
    const nameEnd = position + Number(lengths[index]);
    const valueEnd = nameEnd + Number(lengths[index + 1]);
    switch (bytes.toString('latin1', position, nameEnd)) {
      case 'type':
        type = bytes.toString('utf8', nameEnd, valueEnd);
        break;
      case 'payload':
        payloadStart = nameEnd;
        payloadEnd = valueEnd;
        break;
      case 'codec':
        codec = readCodec(bytes.toString('latin1', nameEnd, valueEnd));
        break;
      case 'meta':
        meta = bytes.toString('utf8', nameEnd, valueEnd);
        break;
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

function fieldsAsJson(bytes: Buffer, start: number, lengths: string[]): string {
  const fields: [string, string][] = [];
  let position = start;
  for (let index = 0; index + 1 < lengths.length; index += 2) {
    const nameEnd = position + Number(lengths[index]);
    const valueEnd = nameEnd + Number(lengths[index + 1]);
    fields.push([
      bytes.toString('utf8', position, nameEnd),
      bytes.toString('utf8', nameEnd, valueEnd),
    ]);
    position = valueEnd;
  }
  return JSON.stringify(Object.fromEntries(fields));
}

function readCodec(name: string): Codec {
  return name === 'json' || name === 'bytes' ? name : 'text';
}
