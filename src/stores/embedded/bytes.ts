/** Numbers and ASCII as they lie in keys and values. Numbers are big-endian, so that LMDB's byte order is their order. */

export function putAscii(text: string, target: Uint8Array, start: number): number {
  for (let index = 0; index < text.length; index++) target[start + index] = text.charCodeAt(index);
  return start + text.length;
}

export function getAscii(source: Uint8Array, start: number, end: number): string {
  const buffer = Buffer.isBuffer(source)
    ? source
    : Buffer.from(source.buffer, source.byteOffset, source.length);
  return buffer.toString('latin1', start, end);
}

export function putNumber(value: number, target: Uint8Array, start: number): void {
  target[start] = value >>> 24;
  target[start + 1] = value >>> 16;
  target[start + 2] = value >>> 8;
  target[start + 3] = value;
}

export function getNumber(source: Uint8Array, start: number): number {
  return (
    ((source[start]! << 24) |
      (source[start + 1]! << 16) |
      (source[start + 2]! << 8) |
      source[start + 3]!) >>>
    0
  );
}

export const TWO_32 = 0x1_0000_0000;

/** A whole number up to 2^53 in eight bytes. */
export function putLong(value: number, target: Uint8Array, start: number): void {
  putNumber(Math.floor(value / TWO_32), target, start);
  putNumber(value % TWO_32, target, start + 4);
}

export function getLong(source: Uint8Array, start: number): number {
  return getNumber(source, start) * TWO_32 + getNumber(source, start + 4);
}

/** From so many bytes on, a native call is cheaper than a loop. */
const WORTH_A_CALL = 64;

/** Copies `size` bytes; `source` may be longer than its `length` says. */
export function copyBytes(
  source: Uint8Array,
  from: number,
  size: number,
  target: Uint8Array,
  start: number,
): void {
  if (size >= WORTH_A_CALL) {
    target.set(new Uint8Array(source.buffer, source.byteOffset + from, size), start);
    return;
  }
  for (let index = 0; index < size; index++) target[start + index] = source[from + index]!;
}

/** Negative when the first `size` bytes from `oneStart` come before the others, 0 when they are the same. */
export function compareBytes(
  one: Uint8Array,
  oneStart: number,
  other: Uint8Array,
  otherStart: number,
  size: number,
): number {
  for (let index = 0; index < size; index++) {
    const difference = one[oneStart + index]! - other[otherStart + index]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
