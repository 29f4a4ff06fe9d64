/**
 * A log as a live stream of server-sent events. `id:` is the event ID, so a browser's EventSource
 * resumes by itself through `Last-Event-ID`; `live`, `trimmed`, `reset` and `failed` are named.
 */
import type { MillraceError } from '../../event/error.ts';
import type { StoredEvent } from '../../event/event.ts';
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Start } from '../../event/start.ts';
import type { Batch } from '../../live/batch.ts';
import type { Live } from '../../live/live.ts';
import type { Sink, Subscription } from '../../live/sink.ts';
import { eventShape } from '../../protocol/event-pieces.ts';
import {
  eventMessages,
  failedMessage,
  KEEP_ALIVE,
  liveMessage,
  messagePiece,
  OPENING,
  resetMessage,
  trimmedMessage,
} from '../../protocol/event-stream.ts';
import type { Beating, Heartbeat } from '../heartbeat.ts';
import type { Access } from '../identity/access.ts';
import { Expiry } from '../identity/expiry.ts';
import type { Identity } from '../identity/identity.ts';
import { InPieces, isLarge, type PieceFormat, SharedPieces } from '../in-pieces.ts';
import type { LargeEvents } from '../large-events.ts';
import type { Place } from '../limits/connection-limits.ts';

/** What event streams share. */
export interface EventStreamContext {
  readonly access: Access;
  readonly live: Live;
  readonly heartbeat: Heartbeat;
  readonly eventStreams: Set<EventStream>;
  readonly large: LargeEvents;
  /** How many bytes may wait to be sent. */
  readonly sendBufferBytes: number;
}

/** What is longer than this on the wire goes in pieces. */
const AT_ONCE = 262_144;

const UTF8 = new TextEncoder();
const KEEP_ALIVE_BYTES = UTF8.encode(KEEP_ALIVE);

export class EventStream implements Sink, Beating {
  readonly body: ReadableStream<Uint8Array>;
  seenAt = 0;
  readonly #context: EventStreamContext;
  readonly #subscription: Subscription;
  readonly #expiry: Expiry | undefined;
  readonly #place: Place;
  readonly #slot: number;
  readonly #startedInTime: boolean;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #waiting = false;
  /** Events that go in pieces. */
  #underway: InPieces<Uint8Array> | undefined;
  /** What came meanwhile. */
  #behind: Uint8Array[] = [];
  /** The next piece is being had again. */
  #asking = false;

  /**
   * @param identity for whom it is; undefined in an open gateway
   * @param place is left when it ends
   */
  constructor(
    context: EventStreamContext,
    log: LogName,
    start: Start,
    identity: Identity | undefined,
    place: Place,
  ) {
    this.#context = context;
    this.#place = place;
    this.#startedInTime = start !== 'now' && 'since' in start;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          // Headers alone do not open an EventSource everywhere: proxies wait for a first byte.
          controller.enqueue(UTF8.encode(OPENING));
        },
        pull: () => this.#drained(),
        cancel: () => this.#detach(),
      },
      { highWaterMark: context.sendBufferBytes, size: (chunk) => chunk?.byteLength ?? 0 },
    );
    this.#subscription = context.live.subscribe(log, start, this);
    if (identity?.expiresAt !== undefined) {
      this.#expiry = new Expiry(context.access, identity, (error) => this.failed(error));
    }
    this.#slot = context.heartbeat.add(this);
    context.eventStreams.add(this);
  }

  ready(): boolean {
    this.#waiting = this.#underway !== undefined || (this.#controller?.desiredSize ?? 1) <= 0;
    return !this.#waiting;
  }

  batch(batch: Batch): void {
    if (!isLarge(batch)) {
      const bytes = batch.encoded(encodeEvents);
      if (bytes.length <= AT_ONCE) {
        this.#send(bytes);
        return;
      }
    }
    const isOpen = () => this.#controller !== undefined;
    this.#underway = new InPieces(batch, PIECES, this.#context.large, isOpen);
    this.#goOn();
  }

  /** Sends pieces as long as there is room for them. */
  #goOn(): void {
    const pieces = this.#underway;
    const controller = this.#controller;
    while (pieces !== undefined && controller !== undefined) {
      // To enqueue a piece can bring us here again, from in between.
      if (this.#asking) return;
      if ((controller.desiredSize ?? 0) <= 0) {
        pieces.rest();
        return;
      }
      const next = pieces.next();
      if (next === undefined) break;
      if (next instanceof Promise) {
        void this.#goOnWith(next);
        return;
      }
      controller.enqueue(next);
    }
    this.#underway = undefined;
    for (const bytes of this.#behind.splice(0)) controller?.enqueue(bytes);
  }

  async #goOnWith(next: Promise<Uint8Array>): Promise<void> {
    this.#asking = true;
    try {
      const bytes = await next;
      this.#controller?.enqueue(bytes);
    } catch (error) {
      // Half an event cannot be taken back. A browser comes again, and is told what became of it.
      this.#cut(error);
      return;
    } finally {
      this.#asking = false;
    }
    this.#goOn();
    if (this.#underway === undefined) this.#drained();
  }

  // With the ID, a browser that has seen no event yet comes back to this very place. After `since`
  // it must not: that place may lie in the future, where no event has been.
  live(at: EventId): void {
    this.#sendText(liveMessage(at, !this.#startedInTime));
  }

  trimmed(resumeAfter: EventId): void {
    this.#sendText(trimmedMessage(resumeAfter));
  }

  reset(version: EventId): void {
    this.#sendText(resetMessage(version));
  }

  failed(error: MillraceError): void {
    if (this.#underway !== undefined) {
      this.#cut(error);
      return;
    }
    this.#sendText(failedMessage(error));
    this.close();
  }

  beat(): void {
    // A comment behind bytes that wait would tell nobody anything.
    if ((this.#controller?.desiredSize ?? 0) > 0) this.#send(KEEP_ALIVE_BYTES);
  }

  // HTTP has no answer to a keep-alive: a dead peer shows in the connection itself.
  expire(): void {
    this.seenAt = this.#context.heartbeat.now;
  }

  /** Ends the stream; a browser connects again by itself. */
  close(): void {
    const controller = this.#controller;
    this.#detach();
    controller?.close();
  }

  #cut(error: unknown): void {
    const controller = this.#controller;
    this.#detach();
    controller?.error(error);
  }

  #drained(): void {
    if (this.#underway !== undefined) this.#goOn();
    if (this.#underway !== undefined || !this.#waiting) return;
    this.#waiting = false;
    this.#subscription.drained();
  }

  #detach(): void {
    if (this.#controller === undefined) return;
    this.#controller = undefined;
    this.#expiry?.stop();
    this.#place.leave();
    this.#subscription.close();
    this.#context.heartbeat.remove(this, this.#slot);
    this.#context.eventStreams.delete(this);
  }

  #sendText(message: string): void {
    this.#send(UTF8.encode(message));
  }

  #send(bytes: Uint8Array): void {
    if (this.#underway !== undefined) this.#behind.push(bytes);
    else this.#controller?.enqueue(bytes);
  }
}

function encodeEvents(_log: LogName, events: readonly StoredEvent[]): Uint8Array {
  return UTF8.encode(eventMessages(events));
}

/** The same in pieces. */
const PIECES: PieceFormat<Uint8Array> = {
  shape: (_log, event) => eventShape(event),
  frame: (piece, isFirst, id) => UTF8.encode(messagePiece(piece, isFirst ? id : undefined)),
  shared: (log, events) => new SharedPieces(PIECES, log, events[0]!),
};
