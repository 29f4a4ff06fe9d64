/**
 * The narrow waist between a session and the runtime that holds its WebSocket. A listener gives
 * each socket that was upgraded to `gateway.accept` as a {@link GatewaySocket}, and tells the
 * {@link SocketSession} that it gets for it what happens to the socket.
 *
 * The functions of a socket are what every runtime has. What only some can do are capabilities,
 * each by its name; without one the gateway does as it says there, and keeps its promises all the same.
 */
import type { Encoded } from '../../live/batch.ts';
import type { Outlet } from '../outlet.ts';

/** A runtime's WebSocket, as a session sees it. None of its functions may throw. */
export interface GatewaySocket {
  /**
   * Bytes handed over that the network has not taken yet. At `limits.sendBufferBytes` nothing more
   * is delivered, and nothing more is read from the client, until {@link SocketSession.drained}.
   */
  readonly bytesWaiting: number;
  /** Sends one text message, behind all that was sent before; does nothing once the socket is closing. */
  send(message: string): void;
  /** Sends a protocol ping. It may come before messages that wait, never inside of one frame. */
  ping(): void;
  /** Starts the closing handshake, and ends it by itself when the peer does not answer. */
  close(code: number, reason: string): void;
  /** Cuts the connection. */
  terminate(): void;

  /**
   * It can stop to read. Without that, what a client sends faster than it is worked on is kept in
   * memory, and a client of whom more would be kept than `limits.maxAppendBytesInFlight` is closed
   * with 1013 `overloaded`: TCP would have slowed it down, now it has to do so by itself.
   */
  readonly reading?: Reading | undefined;

  /**
   * Bytes that the network has taken since the start, also those of a message that it has not
   * taken whole. Only what grows counts, from wherever it starts. It tells a slow peer, to which
   * our ping has not come through yet, from a dead one. Without it, a peer shows by `bytesWaiting`
   * becoming less that it reads: one that takes longer than `idleTimeout` over a single message may
   * then be taken for dead, where the runtime counts a message as waiting until all of it is gone.
   */
  readonly bytesTaken?: number | undefined;

  /**
   * It writes frames of its own making. Then what is delivered to many sockets is made into frames
   * once for all of them, and a large event goes in pieces, of which a slow client holds none.
   * Without it, each socket gets text through `send`, makes its own frames, and a large event is
   * handed over whole: each slow client can hold one batch, or one event of the largest size.
   */
  readonly frames?: SocketFrames | undefined;
}

/** A socket that can stop to read from the network, as far as it can: what was read may still arrive. */
export interface Reading {
  pause(): void;
  resume(): void;
}

/** A socket that writes frames: how they are made, and where they go. */
export interface SocketFrames<Frame extends Encoded = Encoded> extends Outlet<Frame> {
  /** One and the same object for all sockets of a runtime: they share what it makes. */
  readonly framing: Framing<Frame>;
}

/** Makes frames (RFC 6455 section 5) of texts. The `length` of a frame is its bytes. */
export interface Framing<Frame extends Encoded> {
  /** Messages as frames, one after the other, in one. */
  whole(messages: readonly string[]): Frame;
  /** One fragment of a message (section 5.4). Only control frames may come between the fragments of one. */
  part(text: string, isFirst: boolean, isLast: boolean): Frame;
}

/** A session, as the runtime sees it: what the runtime has to report. None of its functions throws. */
export interface SocketSession {
  /** A text message came, of at most `limits.maxFrameBytes` bytes, in valid UTF-8. */
  receive(message: string): void;
  /** A message came whole that cannot be taken; the socket stays open. */
  refuse(why: Unreadable): void;
  /**
   * The peer breaks the protocol, and the socket is about to be closed with `closeCode`: 1007 for
   * what is not UTF-8, 1008 for too many fragments, 1009 for a message that is too large to be read
   * at all, else 1002. The client is told before.
   * @returns the reason to close with
   */
  fail(closeCode: number): string;
  /** The peer showed a sign of life that is not a message: a ping, a pong. */
  seen(): void;
  /** The network takes more again, after `bytesWaiting` was at the limit or `writeAtOnce` has said so. */
  drained(): void;
  /** The connection is gone. Nothing of it is called any more. */
  closed(): void;
}

/** Why a message that came whole is not taken. */
export type Unreadable = 'binary_frame' | 'frame_too_large';
