/** Events that are delivered together, and what they look like on the wire, made once for all sockets. */

import type { StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';

/** Turns a batch into frames; keep one function per wire format, its identity is the key of the cache. */
export type FrameEncoder<Frame> = (log: LogName, events: readonly StoredEvent[]) => Frame;

/** One or more events of one log, in order and next to each other. */
export class Batch {
  readonly log: LogName;
  readonly events: readonly StoredEvent[];
  // Nearly always one wire format looks at a batch: a pair is smaller than a map.
  #encoder: FrameEncoder<unknown> | undefined;
  #frame: unknown;

  constructor(log: LogName, events: readonly StoredEvent[]) {
    this.log = log;
    this.events = events;
  }

  /** The ID of the last event. */
  get last(): EventId {
    return this.events[this.events.length - 1]!.id;
  }

  /** About how many bytes its events take. */
  get size(): number {
    let bytes = 0;
    for (const event of this.events) bytes += event.size;
    return bytes;
  }

  /** This batch in a wire format; sockets that share the format share the result. */
  encoded<Frame>(encoder: FrameEncoder<Frame>): Frame {
    if (this.#encoder === encoder) return this.#frame as Frame;
    const frame = encoder(this.log, this.events);
    this.#encoder = encoder;
    this.#frame = frame;
    return frame;
  }
}

/** Beyond this, events that come together are handed on in several batches, so that a slow reader can stop in between. */
const BATCH_BYTES = 65_536;

/** Events in batches of a size that is good to send. */
export function batchesOf(log: LogName, events: readonly StoredEvent[]): Batch[] {
  const batches: Batch[] = [];
  let start = 0;
  let bytes = 0;
  for (let index = 0; index < events.length; index += 1) {
    const { size } = events[index]!;
    if (index > start && bytes + size > BATCH_BYTES) {
      batches.push(new Batch(log, events.slice(start, index)));
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (start === 0 && events.length > 0) batches.push(new Batch(log, events));
  else if (start < events.length) batches.push(new Batch(log, events.slice(start)));
  return batches;
}
