/** The narrow waist between a session and the runtime that holds its WebSocket. */
import type { MillraceError } from '../../event/error.ts';
import type { Batch } from '../../live/batch.ts';
import type { LargeEvents } from '../large-events.ts';

/** A runtime's WebSocket, as a session sees it. None of its functions may throw. */
export interface GatewaySocket {
  /** Bytes handed over that the network has not taken yet. */
  readonly bytesWaiting: number;
  /** Bytes that the network has taken since the start, also those of a message that it has not taken whole. */
  readonly bytesTaken: number;
  /** Sends one text message; does nothing once the socket is closing. */
  send(message: string): void;
  /** What was delivered last is too large to be handed over at once: nothing else may be delivered until `drained`. */
  readonly isBusy: boolean;
  /**
   * Sends a batch in the socket's wire format. Sockets of one runtime share the encoded bytes.
   * What is too large to be sent at once goes in pieces, and is had again from `large` for those
   * that do not fit.
   */
  deliver(batch: Batch, large: LargeEvents): void;
  /** Stops reading from the network, as far as it can: what has been read may still arrive. */
  pause(): void;
  resume(): void;
  /** Sends a protocol ping. */
  ping(): void;
  /** Starts the closing handshake, and ends it by itself when the peer does not answer. */
  close(code: number, reason: string): void;
  /** Cuts the connection. */
  terminate(): void;
}

/** A session, as the runtime sees it: what the runtime has to report. */
export interface SocketSession {
  /** A text message came. */
  receive(message: string): void;
  /** A message came that cannot be read; the socket stays open. */
  refuse(error: MillraceError): void;
  /** The connection is about to be closed because of what the peer did. */
  fail(error: MillraceError): void;
  /** The peer showed a sign of life that is not a message: a ping, a pong. */
  seen(): void;
  /** `bytesWaiting` was at or above `limits.sendBufferBytes` or the socket busy, and is not any more. */
  drained(): void;
  /** The connection is gone. */
  closed(): void;
}
