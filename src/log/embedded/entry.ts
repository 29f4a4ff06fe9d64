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
import { type Codec, type EncodedEvent, StoredEvent } from '../../event/event.ts';
import type { EventId } from '../../event/event-id.ts';

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

/** What `bytes` hold, whatever they hold; nothing of `bytes` is kept. */
export function readEntry(bytes: Uint8Array): Entry {
  const size = bytes.length;
  const buffer = asBuffer(bytes, size);
  const shape = size < 3 ? -1 : buffer[0]!;
  const codec = CODECS[shape & 3];
  if (shape < 0 || shape > 7 || codec === undefined) return unknown(buffer, size);

  const hasMeta = (shape & HAS_META) !== 0;
  if (hasMeta && size < 7) return unknown(buffer, size);
  const typeStart = hasMeta ? 7 : 3;
  const metaStart = typeStart + ((buffer[1]! << 8) | buffer[2]!);
  const dataStart = metaStart + (hasMeta ? buffer.readUInt32BE(3) : 0);
  if (metaStart === typeStart || dataStart > size) return unknown(buffer, size);

  return {
    type: buffer.toString('utf8', typeStart, metaStart),
    codec,
    data:
      codec === 'bytes' ? copy(buffer, dataStart, size) : buffer.toString('utf8', dataStart, size),
    meta: hasMeta ? buffer.toString('utf8', metaStart, dataStart) : undefined,
  };
}

export function eventFrom(id: EventId, entry: Entry): StoredEvent {
  return new StoredEvent(id, entry.type, entry.codec, entry.data, entry.meta);
}

function unknown(buffer: Buffer, size: number): Entry {
  return { type: 'unknown', codec: 'bytes', data: copy(buffer, 0, size), meta: undefined };
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
