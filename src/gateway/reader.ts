/** One log that a socket follows: the receiving end of its subscription. */
import type { MillraceError } from '../event/error.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Batch } from '../live/batch.ts';
import type { Sink, Subscription } from '../live/sink.ts';
import type { Turns } from '../live/turns.ts';
import type { WireFormat } from '../protocol/wire-format.ts';
import type { GatewaySocket } from './socket.ts';

/** What a reader needs of the session that it belongs to. */
export interface ReaderOwner {
  readonly socket: GatewaySocket;
  readonly format: WireFormat;
  /** Whether as much waits to be sent as may. */
  readonly full: boolean;
  /** In which its readers read, where there are several. */
  readonly turns: Turns | undefined;
  /** The reader waits until the socket has drained. */
  readerWaits(reader: Reader): void;
  readerFailed(reader: Reader, error: MillraceError): void;
}

// One of these per socket, 10,000 sockets: no closures, no state but this.
export class Reader implements Sink {
  readonly log: LogName;
  /** The subscription waits for `drained()`. */
  waiting = false;
  /** It has had a batch since it was last woken. */
  served = false;
  subscription: Subscription | undefined;
  readonly #owner: ReaderOwner;

  constructor(owner: ReaderOwner, log: LogName) {
    this.#owner = owner;
    this.log = log;
  }

  get turns(): Turns | undefined {
    return this.#owner.turns;
  }

  ready(): boolean {
    if (!this.#owner.full) return true;
    this.#owner.readerWaits(this);
    return false;
  }

  batch(batch: Batch): void {
    this.served = true;
    this.#owner.socket.deliver(batch);
  }

  live(at: EventId): void {
    const message = this.#owner.format.live(this.log, at);
    if (message !== undefined) this.#owner.socket.send(message);
  }

  trimmed(resumeAfter: EventId): void {
    this.#owner.socket.send(this.#owner.format.trimmed(this.log, resumeAfter));
  }

  reset(version: EventId): void {
    this.#owner.socket.send(this.#owner.format.reset(this.log, version));
  }

  failed(error: MillraceError): void {
    this.#owner.readerFailed(this, error);
  }
}
