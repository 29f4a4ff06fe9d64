/** Events that are delivered together, and what they look like on the wire, made once for all sockets. */

import type { StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import { FRAME_OVERHEAD, weightOf } from './weight.ts';

/** Turns a batch into frames; keep one function per wire format, its identity is the key of the cache. */
export type FrameEncoder<Frame extends Encoded> = (
  log: LogName,
  events: readonly StoredEvent[],
) => Frame;

/** A buffer, a string: whatever has a length. */
export interface Encoded {
  readonly length: number;
}

/** Who keeps a batch, and counts what it takes. */
export interface Holder {
  /** The batch takes so many bytes more than before. */
  grew(bytes: number): void;
}

/** One or more events of one log, in order and next to each other. */
export class Batch {
  readonly log: LogName;
  readonly events: readonly StoredEvent[];
  /** To be told when it grows. */
  holder: Holder | undefined;
  // Nearly always one wire format looks at a batch: the first one needs no list.
  #encoder: FrameEncoder<Encoded> | undefined;
  #frame: Encoded | undefined;
  #others: { readonly encoder: FrameEncoder<Encoded>; readonly frame: Encoded }[] | undefined;
  #framesWeight = 0;

  constructor(log: LogName, events: readonly StoredEvent[]) {
    this.log = log;
    this.events = events;
  }

  /** The ID of the last event. */
  get last(): EventId {
    return this.events[this.events.length - 1]!.id;
  }

  /** About how many bytes of memory it takes, with its events and what they look like on the wire. */
  get weight(): number {
    return weightOf(this.events) + this.#framesWeight;
  }

  /** This batch in a wire format; sockets that share the format share the result. */
  encoded<Frame extends Encoded>(encoder: FrameEncoder<Frame>): Frame {
    if (this.#encoder === encoder) return this.#frame as Frame;
    const known = this.#others?.find((other) => other.encoder === encoder);
    return (known?.frame ?? this.#encode(encoder)) as Frame;
  }

  #encode(encoder: FrameEncoder<Encoded>): Encoded {
    const frame = encoder(this.log, this.events);
    if (this.#encoder === undefined) {
      this.#encoder = encoder;
      this.#frame = frame;
    } else {
      this.#others ??= [];
      this.#others.push({ encoder, frame });
    }
    const weight = frame.length + FRAME_OVERHEAD;
    this.#framesWeight += weight;
    this.holder?.grew(weight);
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
