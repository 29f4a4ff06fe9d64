/**
 * What one socket's client sends, taken no faster than it can be worked on.
 *
 *   reading ──(too much to send, too many appends under way,──► halted ──► reading
 *      │       or too many operations in a row)                    │
 *      └──────────────────────── stop ◄────────────────────────────┘
 *
 * Halted, it reads nothing from the network; what one chunk of the network had already brought
 * waits in a backlog, which is therefore never larger than that chunk. Of a socket that cannot
 * stop to read, the backlog is bounded, and whoever sends more has to go.
 */
import type { MillraceError } from '../../event/error.ts';
import type { GatewayLimits } from '../limits/limits.ts';
import { type LoopTurns, TAKES_TIME } from '../limits/loop-turns.ts';
import type { GatewaySocket } from './socket.ts';

/** Who works on what comes. */
export interface IntakeOwner {
  /** Too much waits to be sent, or too many appends are under way. */
  readonly isOverloaded: boolean;
  perform(message: string): void;
  /** Tells what is wrong with a message that was none. */
  tell(error: MillraceError): void;
  /** The client sends, or may do so again. */
  seen(): void;
  /** More has come than is kept. */
  flooded(): void;
}

export interface IntakeContext {
  readonly turns: LoopTurns;
  readonly limits: Pick<GatewayLimits, 'maxAppendBytesInFlight'>;
}

/** After so many operations the event loop gets a turn, and with it everybody else. */
const MAX_IN_A_ROW = 128;
/** So many characters count as one operation more. */
const PER_OPERATION = 1_024;
/** What a message in the backlog takes beside its characters. */
const PER_MESSAGE = 64;

export class Intake {
  readonly #context: IntakeContext;
  readonly #owner: IntakeOwner;
  readonly #socket: GatewaySocket;
  #backlog: (string | MillraceError)[] | undefined;
  #backlogBytes = 0;
  /** Operations since the others last had a turn. */
  #inARow = 0;
  /** A message that takes time waits until there is time for it. */
  #awaitsTurn = false;
  #halted = false;
  #stopped = false;

  constructor(context: IntakeContext, owner: IntakeOwner, socket: GatewaySocket) {
    this.#context = context;
    this.#owner = owner;
    this.#socket = socket;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** @param incoming a message, or what is wrong with one */
  take(incoming: string | MillraceError): void {
    if (this.#stopped) return;
    this.#owner.seen();
    if (this.#halted) {
      this.#keep(incoming);
      return;
    }
    this.#handle(incoming);
    if (this.#isOverloaded) {
      this.#halted = true;
      this.#socket.reading?.pause();
    }
  }

  /** There may be room again. */
  goOn(): void {
    if (!this.#halted || this.#stopped || this.#isOverloaded) return;
    const backlog = this.#backlog ?? [];
    let handled = 0;
    while (handled < backlog.length && !this.#isOverloaded) {
      const next = backlog[handled]!;
      handled += 1;
      this.#backlogBytes -= weightOf(next);
      this.#handle(next);
    }
    this.#backlog = handled < backlog.length ? backlog.slice(handled) : undefined;
    if (this.#isOverloaded) return;
    this.#halted = false;
    this.#owner.seen();
    this.#socket.reading?.resume();
  }

  /** Takes nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#backlog = undefined;
  }

  /** Takes nothing more, but reads: the peer's half of the closing handshake has to come through. */
  readOut(): void {
    this.stop();
    if (this.#halted) this.#socket.reading?.resume();
  }

  get #isOverloaded(): boolean {
    return this.#awaitsTurn || this.#inARow >= MAX_IN_A_ROW || this.#owner.isOverloaded;
  }

  #keep(incoming: string | MillraceError): void {
    this.#backlog ??= [];
    this.#backlog.push(incoming);
    this.#backlogBytes += weightOf(incoming);
    if (this.#socket.reading !== undefined) return;
    if (this.#backlogBytes > this.#context.limits.maxAppendBytesInFlight) this.#owner.flooded();
  }

  #handle(incoming: string | MillraceError): void {
    if (typeof incoming !== 'string') {
      this.#countInARow(0);
      this.#owner.tell(incoming);
    } else if (incoming.length <= TAKES_TIME) {
      this.#countInARow(incoming.length);
      this.#owner.perform(incoming);
    } else {
      this.#handleInTurn(incoming);
    }
  }

  /** What comes after it waits in the backlog. */
  #handleInTurn(incoming: string): void {
    this.#awaitsTurn = true;
    const handle = (): void => {
      this.#awaitsTurn = false;
      if (!this.#stopped) this.#owner.perform(incoming);
    };
    void this.#context.turns.run(handle).then(() => this.goOn());
  }

  /** Whoever sends as fast as it can must not keep the others waiting. */
  #countInARow(length: number): void {
    const before = this.#inARow;
    this.#inARow += 1 + Math.floor(length / PER_OPERATION);
    if (before >= MAX_IN_A_ROW || this.#inARow < MAX_IN_A_ROW) return;
    setTimeout(() => {
      this.#inARow = 0;
      this.goOn();
    }, 0);
  }
}

function weightOf(incoming: string | MillraceError): number {
  return PER_MESSAGE + (typeof incoming === 'string' ? incoming.length : 0);
}
