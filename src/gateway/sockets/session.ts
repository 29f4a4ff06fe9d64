/**
 * One client's socket, in either wire format. A session holds cursors, not events: what is
 * delivered goes straight from a shared batch to the socket.
 *
 *   reading ──(too much to send, too many appends under way,──► halted ──► reading
 *      │       or too many operations in a row)                    │
 *      └────────── finish / fail / expire ──► closing ◄────────────┘
 *
 * Halted, it reads nothing from the network; what one chunk of the network had already brought
 * waits in a backlog, which is therefore never larger than that chunk.
 */
import type { Appended } from '../../event/appended.ts';
import type { MillraceError } from '../../event/error.ts';
import { accountLog, type LogName } from '../../event/log-name.ts';
import type { Start } from '../../event/start.ts';
import type { Live } from '../../live/live.ts';
import { errorCode } from '../../protocol/error-codes.ts';
import type { AppendOperation, Ref } from '../../protocol/operation.ts';
import { presentable, protocolError } from '../../protocol/problem.ts';
import type { WireFormat } from '../../protocol/wire-format.ts';
import type { Appending, Sender } from '../appending.ts';
import { shownOf } from '../failure.ts';
import { Reader, type ReaderOwner, Readers } from '../following.ts';
import type { Beating, Heartbeat } from '../heartbeat.ts';
import { TAKES_TIME } from '../http/body.ts';
import type { Access } from '../identity/access.ts';
import { Expiry } from '../identity/expiry.ts';
import type { Identity } from '../identity/identity.ts';
import type { LargeEvents } from '../large-events.ts';
import type { GatewayLimits } from '../limits/limits.ts';
import type { LoopTurns } from '../limits/loop-turns.ts';
import type { Logger } from '../logger.ts';
import type { Admission } from './admission.ts';
import type { GatewaySocket, SocketSession } from './socket.ts';

/** What all sessions of a gateway share. */
export interface SessionContext {
  readonly appending: Appending;
  readonly live: Live;
  readonly access: Access;
  readonly turns: LoopTurns;
  readonly large: LargeEvents;
  readonly limits: GatewayLimits;
  readonly logger: Logger;
  readonly heartbeat: Heartbeat;
  readonly sessions: Set<Session>;
}

/** After so many operations the event loop gets a turn, and with it everybody else. */
const MAX_IN_A_ROW = 128;
/** What the answer to an append has for each event. */
const ANSWER_PER_EVENT = 32;
/** So many characters count as one operation more. */
const PER_OPERATION = 1_024;

export class Session implements SocketSession, ReaderOwner, Beating, Sender {
  readonly socket: GatewaySocket;
  readonly format: WireFormat;
  readonly identity: Identity;
  readonly spender: string;
  readonly readers = new Readers();
  seenAt = 0;
  readonly #context: SessionContext;
  readonly #accountId: string;

  /** Only where an identity can end before its socket. */
  readonly #expiry: Expiry | undefined;
  readonly #slot: number;
  #backlog: (string | MillraceError)[] | undefined;
  #appendsInFlight = 0;
  #appendBytesInFlight = 0;
  /** Operations since the others last had a turn. */
  #inARow = 0;
  /** A message that takes time waits until there is time for it. */
  #awaitsTurn = false;
  /** What the network had taken when something last waited at a beat. */
  #takenAtBeat: number | undefined;
  #halted = false;
  #closing = false;
  #finished: (() => void) | undefined;

  constructor(context: SessionContext, socket: GatewaySocket, admission: Admission) {
    this.#context = context;
    this.socket = socket;
    this.format = admission.format;
    this.#accountId = admission.accountId;
    this.spender = accountLog(admission.identity.account);
    this.identity = admission.identity;
    if (admission.identity.expiresAt !== undefined) {
      const ended = (error: MillraceError) => this.#expired(error);
      this.#expiry = new Expiry(context.access, admission.identity, ended);
    }
    this.#slot = context.heartbeat.add(this);
    context.sessions.add(this);
    this.#subscribe(admission.log, admission.start, undefined);
  }

  get full(): boolean {
    const { socket } = this;
    return socket.isBusy || socket.bytesWaiting >= this.#context.limits.sendBufferBytes;
  }

  get large(): LargeEvents {
    return this.#context.large;
  }

  receive(message: string): void {
    this.#take(message);
  }

  refuse(error: MillraceError): void {
    this.#take(error);
  }

  fail(error: MillraceError): void {
    if (this.#closing) return;
    this.#sendError(error, undefined);
    this.#closing = true;
  }

  seen(): void {
    this.seenAt = this.#context.heartbeat.now;
  }

  drained(): void {
    this.seen();
    this.readers.drained();
    this.#goOn();
  }

  closed(): void {
    this.#closing = true;
    this.#backlog = undefined;
    this.readers.close();
    this.#expiry?.stop();
    this.#context.heartbeat.remove(this, this.#slot);
    this.#context.sessions.delete(this);
    this.#finished?.();
  }

  beat(): void {
    this.#lookForProgress();
    this.socket.ping();
  }

  expire(): void {
    // A halted session does not read, so it cannot see a sign of life: that is our doing.
    if (this.#appendsInFlight > 0) return;
    this.#end('idle_timeout');
  }

  /**
   * What waits keeps our ping from the peer: while that goes on shrinking, the peer reads. Only
   * then: what does not wait is taken by our own end of the network, whether or not anybody reads.
   */
  #lookForProgress(): void {
    const { bytesTaken, bytesWaiting } = this.socket;
    if (this.#takenAtBeat !== undefined && bytesTaken > this.#takenAtBeat) this.seen();
    this.#takenAtBeat = bytesWaiting > 0 ? bytesTaken : undefined;
  }

  /** Takes no more operations, lets appends under way finish, then closes with 1001. */
  finish(): Promise<void> {
    this.#closing = true;
    this.#backlog = undefined;
    if (this.#appendsInFlight === 0) {
      this.#end('shutting_down');
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#finished = resolve;
    });
  }

  readerFailed(reader: Reader, error: MillraceError): void {
    this.readers.remove(reader);
    this.#sendError(presentable(error), undefined, reader.log);
  }

  #take(incoming: string | MillraceError): void {
    if (this.#closing) return;
    this.seen();
    if (this.#halted) {
      this.#backlog ??= [];
      this.#backlog.push(incoming);
      return;
    }
    this.#handle(incoming);
    if (this.#overloaded) {
      this.#halted = true;
      this.socket.pause();
    }
  }

  get #overloaded(): boolean {
    return (
      this.#awaitsTurn ||
      this.#inARow >= MAX_IN_A_ROW ||
      this.#appendsInFlight >= this.#context.limits.maxAppendsInFlight ||
      this.#appendBytesInFlight >= this.#context.limits.maxAppendBytesInFlight ||
      this.full
    );
  }

  /** Whoever sends as fast as it can must not keep the others waiting. */
  #countInARow(length: number): void {
    const before = this.#inARow;
    this.#inARow += 1 + Math.floor(length / PER_OPERATION);
    if (before >= MAX_IN_A_ROW || this.#inARow < MAX_IN_A_ROW) return;
    setTimeout(() => {
      this.#inARow = 0;
      this.#goOn();
    }, 0);
  }

  #goOn(): void {
    if (!this.#halted || this.#closing || this.#overloaded) return;
    const backlog = this.#backlog ?? [];
    let handled = 0;
    while (handled < backlog.length && !this.#overloaded) {
      this.#handle(backlog[handled]!);
      handled += 1;
    }
    this.#backlog = handled < backlog.length ? backlog.slice(handled) : undefined;
    if (this.#overloaded) return;
    this.#halted = false;
    this.seen();
    this.socket.resume();
  }

  #handle(incoming: string | MillraceError): void {
    if (typeof incoming !== 'string') {
      this.#countInARow(0);
      this.#sendError(incoming, undefined);
    } else if (incoming.length <= TAKES_TIME) {
      this.#countInARow(incoming.length);
      this.#perform(incoming);
    } else {
      this.#handleInTurn(incoming);
    }
  }

  /** What comes after it waits in the backlog. */
  #handleInTurn(incoming: string): void {
    this.#awaitsTurn = true;
    const handle = (): void => {
      this.#awaitsTurn = false;
      if (!this.#closing) this.#perform(incoming);
    };
    void this.#context.turns.run(handle).then(() => this.#goOn());
  }

  #perform(message: string): void {
    const operation = this.format.parse(message, this.#accountId);
    switch (operation.op) {
      case 'append':
        this.#append(operation, message.length + operation.events.length * ANSWER_PER_EVENT);
        break;
      case 'ping':
        this.socket.send(this.format.pong(operation.ref));
        break;
      case 'subscribe':
        this.#subscribe(operation.log, operation.start, operation.ref);
        break;
      case 'unsubscribe':
        this.#unsubscribe(operation.log, operation.ref);
        break;
      case 'pause':
        this.readers.pause();
        break;
      case 'resume':
        this.readers.resume();
        break;
      case 'refused':
        this.#context.appending.chargeRefused(this);
        this.#sendError(operation.error, operation.ref);
    }
  }

  /** @param bytes what it takes until it is answered, and its answer */
  #append(operation: AppendOperation, bytes: number): void {
    let appended: Promise<Appended>;
    try {
      appended = this.#context.appending.append(this, operation.log, operation, bytes);
    } catch (error) {
      this.#sendError(error, operation.ref);
      return;
    }
    this.#answer(appended, operation.ref, bytes);
  }

  /** By itself: what was parsed can be ten times its text, and must not be kept while the store works. */
  #answer(appended: Promise<Appended>, ref: Ref, bytes: number): void {
    this.#appendsInFlight += 1;
    this.#appendBytesInFlight += bytes;
    appended.then(
      (outcome) => {
        const message = this.format.appended(ref, outcome);
        if (message !== undefined) this.socket.send(message);
        this.#appendDone(bytes);
      },
      (error: unknown) => {
        this.#sendError(error, ref);
        this.#appendDone(bytes);
      },
    );
  }

  #appendDone(bytes: number): void {
    this.#appendsInFlight -= 1;
    this.#appendBytesInFlight -= bytes;
    this.#context.appending.answered(bytes);
    if (this.#finished !== undefined && this.#appendsInFlight === 0) {
      this.#end('shutting_down');
      this.#finished();
    }
    this.#goOn();
  }

  #subscribe(log: LogName, start: Start, ref: Ref): void {
    const reader = new Reader(this, log);
    try {
      this.#checkSubscription(log);
      reader.subscription = this.#context.live.subscribe(log, start, reader);
    } catch (error) {
      this.#sendError(error, ref, log);
      return;
    }
    this.readers.add(reader);
  }

  #checkSubscription(log: LogName): void {
    this.#context.access.demand(this.identity, 'read', log);
    const { maxSubscriptions } = this.#context.limits;
    if (this.readers.of(log) !== undefined) {
      throw protocolError(
        'already_subscribed',
        `this socket follows ${log} already; unsubscribe first to start elsewhere`,
      );
    }
    if (this.readers.count >= maxSubscriptions) {
      throw protocolError(
        'too_many_subscriptions',
        `one socket may follow ${maxSubscriptions} logs; unsubscribe from one, or open another socket`,
      );
    }
  }

  #unsubscribe(log: LogName, ref: Ref): void {
    const reader = this.readers.of(log);
    if (reader === undefined) {
      const message = `this socket does not follow ${log}`;
      this.#sendError(protocolError('not_subscribed', message), ref, log);
      return;
    }
    this.readers.remove(reader);
    reader.subscription?.close();
  }

  #sendError(error: unknown, ref: Ref, log?: LogName): void {
    const shown = shownOf(error, this.#context.logger, 'an operation failed');
    this.socket.send(this.format.error(shown, ref, log));
  }

  /** The client is told why, and that another token would help. */
  #expired(error: MillraceError): void {
    if (this.#closing) return;
    this.#sendError(error, undefined);
    this.#end('unauthenticated');
  }

  #end(code: 'shutting_down' | 'idle_timeout' | 'unauthenticated'): void {
    this.#closing = true;
    // The peer's half of the closing handshake has to be read; whatever else comes is ignored.
    if (this.#halted) this.socket.resume();
    this.socket.close(errorCode(code).close ?? 1001, code);
  }
}
