/**
 * A log as a live stream of server-sent events. `id:` is the event ID, so a browser's EventSource
 * resumes by itself through `Last-Event-ID`; `live`, `trimmed`, `reset` and `failed` are named.
 */
import type { MillraceError } from '../../event/error.ts';
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Start } from '../../event/start.ts';
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
import { shownOf } from '../failure.ts';
import { Following, type FollowingContext, type FollowingOwner } from '../following.ts';
import type { Beating, Heartbeat } from '../heartbeat.ts';
import type { Identity } from '../identity/identity.ts';
import { type PieceFormat, SharedPieces } from '../in-pieces.ts';
import type { Place } from '../limits/connection-limits.ts';
import type { GatewayLimits } from '../limits/limits.ts';
import type { Logger } from '../logger.ts';
import type { Outlet, Wire } from '../outlet.ts';

/** What event streams share. */
export interface EventStreamContext extends FollowingContext {
  readonly heartbeat: Heartbeat;
  readonly eventStreams: Set<EventStream>;
  readonly logger: Logger;
  readonly limits: Pick<GatewayLimits, 'maxSubscriptions' | 'sendBufferBytes'>;
}

/** Who reads an event stream. */
export interface StreamReader {
  /** Undefined in an open gateway. */
  readonly identity: Identity | undefined;
  /** Left when the stream ends. */
  readonly place: Place;
  /** Cuts the connection, where the runtime can. */
  readonly cut: (() => void) | undefined;
}

const UTF8 = new TextEncoder();
const KEEP_ALIVE_BYTES = UTF8.encode(KEEP_ALIVE);

export class EventStream implements FollowingOwner, Outlet<Uint8Array>, Beating {
  readonly body: ReadableStream<Uint8Array>;
  seenAt = 0;
  readonly #context: EventStreamContext;
  readonly #following: Following<Uint8Array>;
  readonly #place: Place;
  readonly #cut: (() => void) | undefined;
  readonly #slot: number;
  readonly #startedInTime: boolean;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  /** @throws what {@link Following.follow} throws; the place is the caller's then */
  constructor(
    context: EventStreamContext,
    log: LogName,
    start: Start,
    { identity, place, cut }: StreamReader,
  ) {
    this.#context = context;
    this.#place = place;
    this.#cut = cut;
    this.#startedInTime = start !== 'now' && 'since' in start;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          // Headers alone do not open an EventSource everywhere: proxies wait for a first byte.
          controller.enqueue(UTF8.encode(OPENING));
        },
        pull: () => this.drained(),
        cancel: () => this.#detach(),
      },
      { highWaterMark: context.limits.sendBufferBytes, size: (chunk) => chunk?.byteLength ?? 0 },
    );
    this.#following = new Following(context, identity, this, this, WIRE);
    try {
      this.#following.follow(log, start);
    } catch (error) {
      this.#following.close();
      throw error;
    }
    this.#slot = context.heartbeat.add(this);
    context.eventStreams.add(this);
  }

  get isOpen(): boolean {
    return this.#controller !== undefined;
  }

  get isFull(): boolean {
    return (this.#controller?.desiredSize ?? 1) <= 0;
  }

  write(bytes: Uint8Array): void {
    this.#controller?.enqueue(bytes);
  }

  writeAtOnce(bytes: Uint8Array): boolean {
    this.write(bytes);
    return !this.isFull;
  }

  drained(): void {
    this.#following.drained();
  }

  // With the ID, a browser that has seen no event yet comes back to this very place. After `since`
  // it must not: that place may lie in the future, where no event has been.
  live(_log: LogName, at: EventId): void {
    this.#say(liveMessage(at, !this.#startedInTime));
  }

  trimmed(_log: LogName, resumeAfter: EventId): void {
    this.#say(trimmedMessage(resumeAfter));
  }

  reset(_log: LogName, version: EventId): void {
    this.#say(resetMessage(version));
  }

  failed(_log: LogName, error: MillraceError): void {
    this.expired(error);
  }

  expired(error: MillraceError): void {
    if (this.#following.isUnderway) {
      this.broken(error);
      return;
    }
    this.#say(failedMessage(error));
    this.close();
  }

  /** A browser comes again, and is told what became of the event. */
  broken(error: unknown): void {
    const controller = this.#controller;
    shownOf(error, this.#context.logger, 'an event could not be sent whole');
    this.#detach();
    if (this.#cut === undefined) controller?.error(error);
    else this.#cut();
  }

  beat(): void {
    // A comment behind bytes that wait would tell nobody anything.
    if ((this.#controller?.desiredSize ?? 0) > 0) this.#following.send(KEEP_ALIVE_BYTES);
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

  #detach(): void {
    if (this.#controller === undefined) return;
    this.#controller = undefined;
    this.#place.leave();
    this.#following.close();
    this.#context.heartbeat.remove(this, this.#slot);
    this.#context.eventStreams.delete(this);
  }

  #say(message: string): void {
    this.#following.send(UTF8.encode(message));
  }
}

const PIECES: PieceFormat<Uint8Array> = {
  shape: (_log, event) => eventShape(event),
  frame: (piece, isFirst, id) => UTF8.encode(messagePiece(piece, isFirst ? id : undefined)),
  shared: (log, events) => new SharedPieces(PIECES, log, events[0]!),
};

/** Events as server-sent events, the same for all streams. */
const WIRE: Wire<Uint8Array> = {
  encode: (_log, events) => UTF8.encode(eventMessages(events)),
  pieces: PIECES,
};
