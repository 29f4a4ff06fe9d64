/**
 * What is written to a stream in one turn of the event loop goes out together: a system call costs
 * as much as all the rest that an event needs.
 *
 *   answers, events ──► corked streams ──(the network was read, answers are in)──► one write each
 */
import type { Writable } from 'node:stream';

let corked: Writable[] = [];

/** Writes before the event loop waits again, together with what else is written to the stream until then. */
export function writeInTurn(stream: Writable, bytes: Buffer): void {
  if (stream.writableCorked === 0) {
    stream.cork();
    if (corked.push(stream) === 1) setImmediate(uncorkAll);
  }
  stream.write(bytes);
}

/** Writes at once, behind what was written in this turn. @returns false when the stream should drain first */
export function writeAtOnce(stream: Writable, bytes: Buffer): boolean {
  while (stream.writableCorked > 0) stream.uncork();
  return stream.write(bytes);
}

function uncorkAll(): void {
  const streams = corked;
  corked = [];
  for (const stream of streams) stream.uncork();
}
