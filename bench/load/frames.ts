/**
 * Just enough of WebSocket framing (RFC 6455) for a load generator that must cost less than what
 * it measures: unfragmented frames, no extensions, and a masking key of zeros, which the RFC's
 * arithmetic turns into no masking at all.
 */

export const TEXT = 0x1;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** A client's frame for text in ASCII or a control payload. */
export function clientFrame(opcode: number, payload: string | Buffer): Buffer {
  const length = payload.length;
  const headerLength = length < 126 ? 6 : 8;
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = 0x80 | opcode;
  if (length < 126) {
    frame[1] = 0x80 | length;
  } else {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  }
  frame.fill(0, headerLength - 4, headerLength);
  if (typeof payload === 'string') frame.write(payload, headerLength, 'latin1');
  else payload.copy(frame, headerLength);
  return frame;
}

/** Cuts a server's byte stream into frames. */
export class FrameReader {
  #rest: Buffer | undefined;

  /** Calls back for each frame that is complete; the payload is only valid during the call. */
  read(chunk: Buffer, onFrame: (opcode: number, payload: Buffer) => void): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (;;) {
      const available = bytes.length - start;
      if (available < 2) break;
      let length = bytes[start + 1]! & 0x7f;
      let header = 2;
      if (length === 126) {
        header = 4;
        if (available < header) break;
        length = bytes.readUInt16BE(start + 2);
      } else if (length === 127) {
        header = 10;
        if (available < header) break;
        length = Number(bytes.readBigUInt64BE(start + 2));
      }
      if (available < header + length) break;
      onFrame(bytes[start]! & 0x0f, bytes.subarray(start + header, start + header + length));
      start += header + length;
    }
    // A copy, because a small rest must not hold on to a large chunk.
    this.#rest = start === bytes.length ? undefined : Buffer.from(bytes.subarray(start));
  }
}
