/**
 * WebSocket frames (RFC 6455 section 5.2) as whole buffers: a server's text frame is a header of
 * 2, 4 or 10 bytes and the text, unmasked. Made once for all sockets that get the same messages.
 */
import type { Framing } from '../sockets/socket.ts';

const FINAL = 0x80;
const TEXT = 0x1;

/** Shared by all sockets of this runtime. */
export const NODE_FRAMING: Framing<Buffer> = {
  whole: frameOf,
  part: (text, isFirst, isLast) => makeFrame((isFirst ? TEXT : 0) | (isLast ? FINAL : 0), text),
};

/** Text messages as frames, one after the other. */
export function frameOf(messages: readonly string[]): Buffer {
  // Nearly always it is one.
  if (messages.length === 1) return textFrame(messages[0]!);
  return Buffer.concat(messages.map(textFrame));
}

/** A text message as a frame. */
export function textFrame(message: string): Buffer {
  return makeFrame(FINAL | TEXT, message);
}

function makeFrame(firstByte: number, message: string): Buffer {
  const length = Buffer.byteLength(message);
  const frame = Buffer.allocUnsafe(headerLength(length) + length);
  const offset = writeHeader(frame, firstByte, length);
  // ASCII costs a third to write when it is known to be that.
  frame.write(message, offset, length, length === message.length ? 'latin1' : 'utf8');
  return frame;
}

function headerLength(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

/** @returns where the text begins */
function writeHeader(frame: Buffer, firstByte: number, length: number): number {
  frame[0] = firstByte;
  if (length < 126) {
    frame[1] = length;
    return 2;
  }
  if (length < 65_536) {
    frame[1] = 126;
    return frame.writeUInt16BE(length, 2);
  }
  frame[1] = 127;
  frame.writeUInt32BE(Math.floor(length / 0x1_0000_0000), 2);
  return frame.writeUInt32BE(length % 0x1_0000_0000, 6);
}
