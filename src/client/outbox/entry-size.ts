/** How much of an outbox an entry takes: the bytes of its events, as they go over the wire. */
import type { NewEvent } from '../../event/event.ts';

const encoder = new TextEncoder();

export function sizeOf(events: readonly NewEvent[]): number {
  let size = 0;
  for (const { type, payload, meta } of events) {
    const isBytes = payload instanceof Uint8Array;
    size += encoder.encode(type + (isBytes ? '' : JSON.stringify(payload))).length;
    size += encoder.encode(JSON.stringify(meta)).length;
    // As base64.
    if (isBytes) size += Math.ceil(payload.length / 3) * 4;
  }
  return size;
}
