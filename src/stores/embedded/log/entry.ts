/**
 * One stored event, without its ID, which is its key.
 *
 *   ┌──────────┬─────────────┬─────────────┬──────┬──────┬──────┐
 *   │ shape 1  │ type size 2 │ meta size 4 │ type │ meta │ data │     sizes in bytes, big-endian;
 *   └──────────┴─────────────┴─────────────┴──────┴──────┴──────┘     type, meta, text and JSON as UTF-8
 *    0…1: codec (0 text, 1 JSON, 2 bytes)
 *    2:   has meta (meta size is there only then)
 *    3…7: zero
 *
 * Bytes that do not keep to this are an event of type `unknown` with themselves as payload: no
 * damaged entry stops a reader.
 */
import { type Codec, type EncodedEvent, StoredEvent } from '../../../event/event.ts';
import type { EventId } from '../../../event/event-id.ts';
import { compareBytes } from '../bytes.ts';

export interface Entry {
  readonly type: string;
  readonly codec: Codec;
  readonly data: string | Uint8Array;
  readonly meta: string | undefined;
}

const CODECS: readonly Codec[] = ['text', 'json', 'bytes'];
const HAS_META = 4;

/** Entries are cut from chunks of this many bytes; an allocation for each would cost more than writing it. */
const CHUNK_BYTES = 65_536;
let chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
let used = 0;

/** The stored form; a copy, so that the caller may use its bytes again. */
export function writeEntry(event: EncodedEvent): Uint8Array {
  const { type, codec, data, meta } = event;
  const bytes = allocate(3 + event.size + (meta === undefined ? 0 : 4));
  let offset = meta === undefined ? 3 : 7;
  bytes[0] = CODECS.indexOf(codec) | (meta === undefined ? 0 : HAS_META);
  const typeSize = bytes.write(type, offset, 'utf8');
  bytes.writeUInt16BE(typeSize, 1);
  offset += typeSize;
  if (meta !== undefined) {
    const metaSize = bytes.write(meta, offset, 'utf8');
    bytes.writeUInt32BE(metaSize, 3);
    offset += metaSize;
  }
  if (typeof data === 'string') bytes.write(data, offset, 'utf8');
  else bytes.set(data, offset);
  return bytes;
}

/** What `bytes` hold from `start` to `end`, whatever they hold; nothing of `bytes` is kept. */
export function readEntry(bytes: Uint8Array, start = 0, end = bytes.length): Entry {
  const size = end - start;
  const buffer = asBuffer(bytes, end);
  const shape = size < 3 ? -1 : buffer[start]!;
  const codec = CODECS[shape & 3];
  if (shape < 0 || shape > 7 || codec === undefined) return unknown(buffer, start, end);

  const hasMeta = (shape & HAS_META) !== 0;
  if (hasMeta && size < 7) return unknown(buffer, start, end);
  const typeStart = start + (hasMeta ? 7 : 3);
  const metaStart = typeStart + ((buffer[start + 1]! << 8) | buffer[start + 2]!);
  const dataStart = metaStart + (hasMeta ? buffer.readUInt32BE(start + 3) : 0);
  if (metaStart === typeStart || dataStart > end) return unknown(buffer, start, end);

  return {
    type: typeIn(buffer, typeStart, metaStart),
    codec,
    data:
      codec === 'bytes' ? copy(buffer, dataStart, end) : buffer.toString('utf8', dataStart, end),
    meta: hasMeta ? buffer.toString('utf8', metaStart, dataStart) : undefined,
  };
}

export function eventFrom(id: EventId, entry: Entry): StoredEvent {
  return new StoredEvent(id, entry.type, entry.codec, entry.data, entry.meta);
}

function unknown(buffer: Buffer, start: number, end: number): Entry {
  return { type: 'unknown', codec: 'bytes', data: copy(buffer, start, end), meta: undefined };
}

/**
 * Types that were read last: there are few of them, and to compare bytes costs a fraction of making
 * a string. Where a type lies goes by its size and ends; another with the same place takes it over.
 */
const TYPES_REMEMBERED = 256;
const LONGEST_REMEMBERED = 64;
const types: { bytes: Uint8Array; text: string }[] = Array.from(
  { length: TYPES_REMEMBERED },
  () => {
    return { bytes: new Uint8Array(0), text: '' };
  },
);

function typeIn(buffer: Buffer, start: number, end: number): string {
  const size = end - start;
  if (size > LONGEST_REMEMBERED) return buffer.toString('utf8', start, end);
  const hash = size * 7 + buffer[start]! * 31 + buffer[end - 1]! * 3;
  const remembered = types[hash % TYPES_REMEMBERED]!;
  const { bytes, text } = remembered;
  if (bytes.length === size && compareBytes(bytes, 0, buffer, start, size) === 0) return text;
  remembered.bytes = copy(buffer, start, end);
  remembered.text = buffer.toString('utf8', start, end);
  return remembered.text;
}

function allocate(size: number): Buffer {
  if (size > CHUNK_BYTES / 4) return Buffer.allocUnsafeSlow(size);
  if (used + size > CHUNK_BYTES) {
    // The full one lives on as long as entries in it wait to be written.
    chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    used = 0;
  }
  used += size;
  return chunk.subarray(used - size, used);
}

function asBuffer(bytes: Uint8Array, size: number): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, size);
}

function copy(buffer: Buffer, start: number, end: number): Uint8Array {
  // `slice` of a Buffer would share the memory, and stay a Buffer.
  return Uint8Array.prototype.slice.call(
    new Uint8Array(buffer.buffer, buffer.byteOffset, end),
    start,
    end,
  );
}
