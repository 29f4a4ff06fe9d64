/**
 * Events on their way to one client that are too large to be sent at once, in any format.
 *
 *   in hand ──(the client is slow, or others have their turn)──► named by their IDs ──► in hand
 *
 * Let go, a large event costs the place that was reached in it, and nothing else.
 */
import { MillraceError } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Batch, FrameEncoder } from '../live/batch.ts';
import {
  type EventShape,
  firstPlace,
  type Piece,
  type Place,
  pieceAt,
} from '../protocol/event-pieces.ts';
import type { LargeEvents } from './large-events.ts';

/** What is larger, in bytes as stored, is not kept for a client that is slow. */
const LARGE = 65_536;

/** How a client gets its events. Keep one for each way: readers of a batch share what it makes. */
export interface PieceFormat<Frame> {
  shape(log: LogName, event: StoredEvent): EventShape;
  /** A piece on the wire. */
  frame(piece: Piece, isFirst: boolean, id: EventId): Frame;
  readonly shared: FrameEncoder<SharedPieces<Frame>>;
}

interface Made<Frame> {
  readonly frame: Frame;
  readonly next: Place | undefined;
}

/** The pieces of one event that was handed to many clients at the same time, each made once. */
export class SharedPieces<Frame> {
  /** They are gone with their batch, which is too large to be kept. */
  readonly length = 0;
  readonly #format: PieceFormat<Frame>;
  readonly #made = new Map<number, Made<Frame>>();
  readonly #event: StoredEvent;
  readonly first: Place;

  constructor(format: PieceFormat<Frame>, log: LogName, event: StoredEvent) {
    this.#format = format;
    this.#event = event;
    this.first = firstPlace(format.shape(log, event));
  }

  at(place: Place): Made<Frame> {
    let made = this.#made.get(place.at);
    if (made === undefined) {
      made = make(this.#format, place, this.#event);
      this.#made.set(place.at, made);
    }
    return made;
  }
}

export class InPieces<Frame> {
  readonly #log: LogName;
  readonly #format: PieceFormat<Frame>;
  readonly #large: LargeEvents;
  readonly #isWanted: () => boolean;
  /** What is not sent yet; the first one is being sent. */
  #left: readonly (StoredEvent | EventId)[];
  #place: Place | undefined;
  #shared: SharedPieces<Frame> | undefined;
  #resting: ReturnType<typeof setTimeout> | undefined;

  /** @param isWanted whether the client is still there */
  constructor(
    batch: Batch,
    format: PieceFormat<Frame>,
    large: LargeEvents,
    isWanted: () => boolean,
  ) {
    this.#log = batch.log;
    this.#format = format;
    this.#large = large;
    this.#isWanted = isWanted;
    this.#left = batch.events;
    if (batch.events.length > 1) return;
    this.#shared = batch.encoded(format.shared);
    this.#place = this.#shared.first;
  }

  /**
   * The next piece, `undefined` after the last one; a promise where the event has to be had again.
   * @throws MillraceError when the event is no longer in the log
   */
  next(): Frame | undefined | Promise<Frame> {
    clearTimeout(this.#resting);
    this.#resting = undefined;
    if (this.#left.length === 0) return undefined;
    const { turns } = this.#large;
    if (turns.isOpen) return this.#now();
    this.#letGo();
    return turns.run(() => this.#now());
  }

  /** The client is slow: nothing large is kept for it. */
  #letGo(): void {
    this.#shared = undefined;
    this.#left = this.#left.map((event) => {
      if (typeof event === 'string' || event.size <= LARGE) return event;
      this.#large.keep(this.#log, event);
      return event.id;
    });
  }

  /** The client has as much as it may: lets go, unless the next piece is asked for in the same turn. */
  rest(): void {
    this.#resting ??= setTimeout(() => this.#letGo(), 0);
  }

  #now(): Frame | Promise<Frame> {
    const event = this.#left[0]!;
    if (typeof event !== 'string') return this.#piece(event);
    const kept = this.#large.kept(this.#log, event);
    return kept === undefined ? this.#again(event) : this.#pieceOf(kept);
  }

  async #again(id: EventId): Promise<Frame> {
    const event = await this.#large.get(this.#log, id, this.#isWanted);
    if (event === undefined) {
      throw new MillraceError('trimmed', `event ${id} of ${this.#log} is gone while it was sent`);
    }
    return this.#pieceOf(event);
  }

  #pieceOf(event: StoredEvent): Frame {
    this.#left = [event, ...this.#left.slice(1)];
    return this.#piece(event);
  }

  #piece(event: StoredEvent): Frame {
    const { frame, next } = this.#large.turns.spend(() => {
      const place = this.#place ?? firstPlace(this.#format.shape(this.#log, event));
      return this.#shared?.at(place) ?? make(this.#format, place, event);
    });
    this.#place = next;
    if (next === undefined) this.#left = this.#left.slice(1);
    return frame;
  }
}

/** Whether a batch is not even tried to be sent at once. */
export function isLarge({ events }: Batch): boolean {
  return events.length === 1 && events[0]!.size > LARGE;
}

function make<Frame>(format: PieceFormat<Frame>, place: Place, event: StoredEvent): Made<Frame> {
  const piece = pieceAt(place, event);
  return { frame: format.frame(piece, place.at === 0, event.id), next: piece.next };
}
