/** Answers to pings; of several that come while an answer waits, the last one (RFC 6455 section 5.5.3). */
import { WebSocket } from 'ws';

/** Made for sockets that are pinged, which few are. */
export class Pongs {
  readonly #socket: WebSocket;
  readonly #sent: () => void;
  /** An answer waits to be sent, and what the next one is to carry. */
  #waiting = false;
  #next: Buffer | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#sent = () => this.#afterSending();
  }

  answer(data: Buffer): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#waiting) {
      this.#next = Buffer.from(data);
      return;
    }
    this.#waiting = true;
    this.#socket.pong(data, false, this.#sent);
  }

  #afterSending(): void {
    const next = this.#next;
    this.#waiting = false;
    this.#next = undefined;
    if (next !== undefined) this.answer(next);
  }
}
