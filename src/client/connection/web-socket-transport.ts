/**
 * A WebSocket for all logs.
 *
 *   asks for a token ──► opens ──(connected)──► open ──► over
 *                                                │  ▲
 *                                                └──┘ the identity is renewed before it ends
 */
import type { LogName } from '../../event/log-name.ts';
import { JSON_SUBPROTOCOL } from '../../protocol/json-format.ts';
import { readFrame } from '../../protocol/json-frames.ts';
import type { Ref } from '../../protocol/operation.ts';
import type { Failure } from '../../protocol/problem.ts';
import { startFields } from '../../protocol/start.ts';
import type { AttemptAnswer } from '../upstream.ts';
import { Heartbeat } from './heartbeat.ts';
import { UNANSWERED } from './lanes.ts';
import { failureOf, type Requests } from './requests.ts';
import type { SocketConstructor, SocketLike } from './socket-like.ts';
import type { Tokens } from './token.ts';
import type { Transport, TransportOwner } from './transport.ts';

/** How long a socket may take to open, in milliseconds. */
const PATIENCE = 10_000;
/** After a renewal that failed: as if so much time were left. */
const RENEW_AGAIN = 10_000;
/** Longer waits overflow in timers. */
const LONGEST_WAIT = 2_000_000_000;

/** The socket did not open, and nothing says why. */
export const NOT_OPENED: Failure = {
  code: 'unavailable',
  message: 'the WebSocket does not open, though the gateway answers',
};

interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** Where and as whom a socket is opened. */
export interface Door {
  readonly WebSocket: SocketConstructor;
  readonly path: string;
  readonly tokens: Tokens;
  readonly requests: Requests;
  /** Whether a token is traded for a ticket: a page of another origin does not show its token. */
  readonly byTicket: boolean;
  readonly random: () => number;
}

export class WebSocketTransport implements Transport {
  readonly over = 'websocket';
  readonly #door: Door;
  readonly #owner: TransportOwner;
  readonly #answers = new Map<Ref, (answer: AttemptAnswer) => void>();
  /** Logs that were followed here; frames of one count only from the `pong` with its ref on. */
  readonly #awaited = new Map<LogName, Ref>();
  readonly #followed = new Set<LogName>();
  #socket: SocketLike | undefined;
  #heartbeat: Heartbeat | undefined;
  #isOver = false;
  #refs = 0;
  #told: Failure | undefined;
  #opening: ReturnType<typeof setTimeout> | undefined;
  #renewal: ReturnType<typeof setTimeout> | undefined;

  constructor(door: Door, owner: TransportOwner) {
    this.#door = door;
    this.#owner = owner;
    void this.#open();
  }

  follow(log: LogName): void {
    this.unfollow(log);
    if (this.#awaited.has(log)) {
      // What is still on its way is of the old start.
      const ref = this.#nextRef();
      this.#awaited.set(log, ref);
      this.#send({ op: 'ping', ref });
    } else {
      this.#awaited.set(log, undefined);
    }
    this.#followed.add(log);
    this.#send({ op: 'subscribe', log, ...startFields(this.#owner.startOf(log)) });
  }

  unfollow(log: LogName): void {
    if (this.#followed.delete(log)) this.#send({ op: 'unsubscribe', log });
  }

  check(): void {
    this.#heartbeat?.check();
  }

  append(ref: number, message: string): Promise<AttemptAnswer> {
    if (this.#isOver) return Promise.resolve(UNANSWERED);
    return new Promise((resolve) => {
      this.#answers.set(ref, resolve);
      this.#socket?.send(message);
    });
  }

  close(): void {
    this.#isOver = true;
    clearTimeout(this.#opening);
    clearTimeout(this.#renewal);
    this.#heartbeat?.stop();
    this.#socket?.close();
    for (const answer of this.#answers.values()) answer(UNANSWERED);
    this.#answers.clear();
  }

  async #open(): Promise<void> {
    const { WebSocket, path, tokens, requests, byTicket } = this.#door;
    try {
      const token = await tokens.fresh();
      const usesTicket = byTicket && token !== undefined;
      const query = usesTicket ? `&ticket=${await requests.ticket()}` : '';
      const isSaid = token !== undefined && !usesTicket;
      const protocols = isSaid ? [JSON_SUBPROTOCOL, `millrace.token.${token}`] : [JSON_SUBPROTOCOL];
      if (this.#isOver) return;
      this.#opening = setTimeout(() => this.#end(NOT_OPENED), PATIENCE);
      const socket = new WebSocket(requests.base.replace('http', 'ws') + path + query, protocols);
      this.#socket = socket;
      socket.onmessage = ({ data }: { readonly data: unknown }) => this.#receive(String(data));
      // Node ends a process over an error that nobody listens to; `close` follows.
      socket.onerror = () => {};
      socket.onclose = (closing: Closing) => this.#end(this.#whyClosed(closing));
    } catch (error) {
      this.#end(failureOf(error));
    }
  }

  #whyClosed({ code, reason }: Closing): Failure {
    if (this.#heartbeat === undefined) return NOT_OPENED;
    if (this.#told !== undefined) return this.#told;
    if (code === 4401)
      return { code: 'unauthenticated', message: 'who you are is not known any more' };
    if (reason === 'shutting_down')
      return { code: reason, message: 'the gateway is shutting down' };
    return { code: 'unavailable', message: 'the connection to the gateway broke off' };
  }

  #end(failure: Failure): void {
    if (this.#isOver) return;
    this.close();
    this.#owner.ended(this, failure);
  }

  #receive(message: string): void {
    if (this.#isOver) return;
    this.#heartbeat?.heard();
    try {
      this.#take(message);
    } catch (error) {
      this.#end(failureOf(error));
    }
  }

  #take(message: string): void {
    const frame = readFrame(message);
    switch (frame.op) {
      case 'connected':
        clearTimeout(this.#opening);
        this.#heartbeat = new Heartbeat(
          () => this.#send({ op: 'ping' }),
          () => this.#end({ code: 'unavailable', message: 'the gateway has fallen silent' }),
        );
        this.#renewIn(frame.expiresIn);
        this.#owner.opened(this, frame.account);
        break;
      case 'authenticated':
        this.#renewIn(frame.expiresIn);
        break;
      case 'appended':
        this.#answer(frame.ref, { kind: 'appended', appended: frame.appended });
        break;
      case 'pong':
        for (const [log, ref] of this.#awaited) {
          if (ref !== undefined && ref === frame.ref) this.#awaited.set(log, undefined);
        }
        break;
      case 'error':
        this.#fail(frame);
        break;
      case 'unknown':
        break;
      default:
        if (this.#awaited.get(frame.log) === undefined) this.#owner.received(this, frame);
    }
  }

  #fail({
    ref,
    log,
    failure,
  }: {
    readonly ref: Ref;
    readonly log: LogName | undefined;
    readonly failure: Failure;
  }): void {
    if (this.#answers.has(ref)) {
      this.#answer(ref, { kind: 'refused', failure });
    } else if (ref === RENEWAL) {
      if (failure.code === 'forbidden') this.#end(failure);
      else this.#renewIn(RENEW_AGAIN);
    } else if (log === undefined) {
      // The reason of what comes next.
      this.#told = failure;
    } else if (this.#awaited.get(log) === undefined) {
      this.#followed.delete(log);
      this.#owner.received(this, { op: 'error', log, failure });
    }
  }

  #answer(ref: Ref, answer: AttemptAnswer): void {
    this.#answers.get(ref)?.(answer);
    this.#answers.delete(ref);
  }

  /** Not all at once: many sockets may have begun together. */
  #renewIn(expiresIn: number | undefined): void {
    clearTimeout(this.#renewal);
    const { tokens, random } = this.#door;
    if (expiresIn === undefined || !tokens.areGiven) return;
    const wait = Math.min(expiresIn * (0.7 + 0.2 * random()), LONGEST_WAIT);
    this.#renewal = setTimeout(() => void this.#renew(tokens), wait);
  }

  async #renew(tokens: Tokens): Promise<void> {
    try {
      const token = await tokens.fresh();
      if (!this.#isOver) this.#send({ op: 'authenticate', ref: RENEWAL, token });
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code === 'forbidden') this.#end(failure);
      else if (!this.#isOver) this.#renewIn(RENEW_AGAIN);
    }
  }

  #nextRef(): string {
    this.#refs += 1;
    return `follow ${this.#refs}`;
  }

  #send(operation: object): void {
    this.#socket?.send(JSON.stringify(operation));
  }
}

const RENEWAL = 'authenticate';
