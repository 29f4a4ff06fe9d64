/** The logs that a socket follows: the receiving ends of its subscriptions, and how they share it. */
import type { MillraceError } from '../event/error.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Batch } from '../live/batch.ts';
import type { Sink, Subscription } from '../live/sink.ts';
import { Turns } from '../live/turns.ts';
import type { WireFormat } from '../protocol/wire-format.ts';
import type { LargeEvents } from './large-events.ts';
import type { GatewaySocket } from './sockets/socket.ts';

/** What a reader needs of the session that it belongs to. */
export interface ReaderOwner {
  readonly socket: GatewaySocket;
  readonly format: WireFormat;
  /** Whether as much waits to be sent as may. */
  readonly full: boolean;
  readonly readers: Readers;
  readonly large: LargeEvents;
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
    return this.#owner.readers.turns;
  }

  ready(): boolean {
    if (!this.#owner.full) return true;
    this.#owner.readers.wait(this);
    return false;
  }

  batch(batch: Batch): void {
    this.served = true;
    this.#owner.socket.deliver(batch, this.#owner.large);
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

/** All readers of one socket. */
export class Readers {
  // One is the rule and a hundred the limit: a list is smaller than a map.
  readonly #all: Reader[] = [];
  /** Those that wait for the socket to drain. */
  #waiting: Reader[] | undefined;
  #turns: Turns | undefined;
  #paused = false;

  get count(): number {
    return this.#all.length;
  }

  // Most sockets follow one log: they need none.
  get turns(): Turns | undefined {
    if (this.#all.length > 1) this.#turns ??= new Turns();
    return this.#turns;
  }

  of(log: LogName): Reader | undefined {
    return this.#all.find((reader) => reader.log === log);
  }

  add(reader: Reader): void {
    if (this.#paused) reader.subscription?.pause();
    this.#all.push(reader);
  }

  remove(reader: Reader): void {
    const index = this.#all.indexOf(reader);
    if (index >= 0) this.#all.splice(index, 1);
    if (reader.waiting) this.#waiting = this.#waiting?.filter((each) => each !== reader);
  }

  /** Those that come meanwhile are paused too. */
  pause(): void {
    this.#paused = true;
    for (const reader of this.#all) reader.subscription?.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const reader of this.#all) reader.subscription?.resume();
  }

  /** The reader goes on when the socket has drained. */
  wait(reader: Reader): void {
    if (reader.waiting) return;
    reader.waiting = true;
    this.#waiting ??= [];
    this.#waiting.push(reader);
  }

  /** Those go first that have had nothing since they were woken last, so that none starves. */
  drained(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    const hungry = waiting.filter((reader) => !reader.served);
    const served = waiting.filter((reader) => reader.served);
    for (const reader of [...hungry, ...served]) {
      reader.waiting = false;
      reader.served = false;
      reader.subscription?.drained();
    }
  }

  /** Ends all subscriptions. */
  close(): void {
    for (const reader of this.#all.splice(0)) reader.subscription?.close();
  }
}
