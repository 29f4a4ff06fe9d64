/**
 * The way to a gateway: opens one connection after the other, and keeps what outlives them: which
 * logs are followed and where they are, and in which order appends go.
 *
 *   connecting ──opened──► open ──lost──► waiting ──time, or a signal──► connecting
 *       │                   │
 *       └───────────────────┴── a reason that trying again does not mend, close() ──► closed
 *
 * When the socket does not open twice though HTTP answers, it goes by HTTP; from then on a socket is
 * tried now and then beside it, and takes over once it is open.
 */
import { InvalidInput } from '../../event/error.ts';
import type { LogName } from '../../event/log-name.ts';
import { writeOperation } from '../../protocol/json-operations.ts';
import type { EventsPage } from '../../protocol/page.ts';
import type { Failure } from '../../protocol/problem.ts';
import { isPassing } from '../passing.ts';
import { Changing } from '../readable.ts';
import type {
  AppendAttempt,
  AttemptAnswer,
  ClientStart,
  GatewayLink,
  Receiver,
} from '../upstream.ts';
import { BackOff } from './back-off.ts';
import { FollowedLog } from './followed-log.ts';
import { Lanes, UNANSWERED } from './lanes.ts';
import { failureOf, Requests } from './requests.ts';
import { network, type Signal, shown } from './signals.ts';
import type { SocketConstructor } from './socket-like.ts';
import type { ConnectionState } from './state.ts';
import { Tokens } from './token.ts';
import type { LogFrame, Transport, TransportOwner } from './transport.ts';
import { NOT_OPENED, WebSocketTransport } from './web-socket-transport.ts';

export interface LinkOptions {
  /** The gateway: `https://…` or `wss://…`, in a page also relative to it. */
  readonly url: string | URL;
  readonly token?: (() => Promise<string> | string) | undefined;
  readonly account?: string | undefined;
  readonly WebSocket?: SocketConstructor | false | undefined;
  readonly fetch?: typeof fetch | undefined;
  readonly random?: (() => number) | undefined;
  /** When the connection is worth a look. Default: what a browser tells. */
  readonly signals?: readonly Signal[] | undefined;
}

/** What trying again does not mend. Of all else, an answer garbled on its way included, it may. */
const FINAL = new Set([
  'forbidden',
  'forbidden_host',
  'forbidden_origin',
  'invalid_account',
  'invalid_query',
  'unsupported_subprotocol',
  'method_not_allowed',
]);

/** Messages are at most so many bytes long. */
const MAX_MESSAGE = 65_536;
/** A connection that has lived so long was one. */
const LIVED = 10_000;
/** How often a socket is tried beside HTTP: so much, and up to twice that. */
const SOCKET_AGAIN = 60_000;
/** So many sockets may fail to open before it goes by HTTP. */
const MAX_BLOCKED = 2;

const nothing = () => {};
/** Of a transport whose code is not there yet. */
const NOTHING_YET = { follow: nothing, unfollow: nothing, check: nothing, close: nothing };

/** @throws InvalidInput */
export function gatewayLink(options: LinkOptions, receiver: Receiver): GatewayLink {
  return new Link(options, receiver);
}

class Link implements GatewayLink, TransportOwner {
  readonly state = new Changing<ConnectionState>({
    status: 'connecting',
    reason: 'the gateway is looked for',
  });
  readonly account: Changing<string | undefined>;
  readonly isReady = new Changing(false);

  readonly #receiver: Receiver;
  readonly #random: () => number;
  readonly #WebSocket: SocketConstructor | false;
  readonly #path: string;
  readonly #byTicket: boolean;
  readonly #tokens: Tokens;
  readonly #requests: Requests;
  readonly #backOff: BackOff;
  readonly #signals: readonly (() => void)[];
  readonly #lanes = new Lanes();
  readonly #logs = new Map<LogName, FollowedLog>();
  #refs = 0;

  /** The connection, also while it opens. */
  #transport: Transport | undefined;
  #openedAt: number | undefined;
  /** A socket that is tried beside HTTP. */
  #candidate: Transport | undefined;
  #goesByHttp: boolean;
  #blocked = 0;
  /** The identity was over, and another one is tried at once. */
  #isRenewed = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #socketAgain: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LinkOptions, receiver: Receiver) {
    const { account, random = Math.random, signals = [network, shown] } = options;
    const { WebSocket = globalThis.WebSocket ?? false, fetch = globalThis.fetch } = options;
    const page = globalThis.location as Location | undefined;
    const base = baseOf(options.url, page?.href);
    this.#receiver = receiver;
    this.#random = random;
    this.#WebSocket = WebSocket;
    this.#goesByHttp = WebSocket === false;
    this.#path = `/ws${account === undefined ? '' : `/${encodeURIComponent(account)}`}?follow=none&format=json`;
    this.#byTicket = page !== undefined && page.origin !== new URL(base).origin;
    this.account = new Changing(account);
    // What is kept on the device can be opened before the gateway answers.
    const told = (own: string) => this.account.get() === undefined && this.account.set(own);
    this.#tokens = new Tokens(options.token, this.account.get, told);
    this.#requests = new Requests(base, fetch, this.#tokens);
    this.#backOff = new BackOff(random);
    this.#signals = signals.map((signal) => signal(() => this.#stir()));
    this.#connect();
  }

  follow(log: LogName, start: ClientStart): void {
    if (this.#isClosed) return;
    this.#logs.set(log, new FollowedLog(start));
    if (this.#openedAt !== undefined) this.#transport?.follow(log);
    this.#show();
  }

  unfollow(log: LogName): void {
    if (this.#logs.delete(log)) this.#transport?.unfollow(log);
    this.#show();
  }

  append(attempt: AppendAttempt): Promise<AttemptAnswer> {
    const transport = this.#transport;
    if (!this.isReady.get() || transport === undefined) return Promise.resolve(UNANSWERED);
    try {
      return transport.append === undefined
        ? this.#post(attempt, transport)
        : this.#say(attempt, transport);
    } catch (error) {
      return Promise.resolve({ kind: 'refused', failure: failureOf(error) });
    }
  }

  page(log: LogName, start: ClientStart, limit?: number): Promise<EventsPage> {
    return this.#requests.page(log, start, limit);
  }

  close(): void {
    if (!this.#isClosed) this.#end({ status: 'closed', reason: 'it was closed here' });
  }

  // What transports tell.

  startOf(log: LogName): ClientStart {
    return this.#logs.get(log)!.start;
  }

  opened(transport: Transport, told?: string): void {
    const known = this.account.get();
    const account = told ?? known ?? this.#tokens.account;
    if (known !== undefined && account !== known) {
      const message = `the gateway takes you for account ${account}, not ${known}`;
      this.#giveUp({ code: 'forbidden', message });
      return;
    }
    if (transport === this.#candidate) {
      this.#transport?.close();
      this.#transport = transport;
      this.#candidate = undefined;
    }
    this.#goesByHttp = transport.over === 'http';
    if (!this.#goesByHttp) this.#blocked = 0;
    this.#trySocketLater();
    this.#openedAt = Date.now();
    this.account.set(account);
    for (const log of this.#logs.keys()) transport.follow(log);
    this.#show();
    this.isReady.set(true);
  }

  received(_transport: Transport, frame: LogFrame): void {
    const { log } = frame;
    const followed = this.#logs.get(log);
    if (followed === undefined) return;
    if (frame.op !== 'error') {
      followed.take(frame, this.#receiver);
    } else if (frame.failure.code === 'already_subscribed') {
      // What was asked for came twice: something in between has repeated it.
      return;
    } else if (isPassing(frame.failure.code) || frame.failure.code === 'idle_timeout') {
      // No reason to give the log up: the connection is made anew.
      this.#drop(frame.failure);
      return;
    } else {
      this.unfollow(log);
      this.#receiver.failed(log, frame.failure);
    }
    this.#show();
  }

  ended(transport: Transport, failure: Failure): void {
    if (transport === this.#candidate) {
      this.#candidate = undefined;
      this.#trySocketLater();
    } else if (failure === NOT_OPENED) {
      this.#transport = undefined;
      void this.#findOutWhy();
    } else {
      this.#drop(failure);
    }
  }

  // Connections.

  get #isClosed(): boolean {
    return this.state.get().status === 'closed';
  }

  #connect(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.state.set({ status: 'connecting', reason: 'the gateway is looked for' });
    if (this.#goesByHttp) void this.#overHttp();
    else this.#transport = this.#socket();
  }

  /** Loaded by those who need it, which are few. */
  async #overHttp(): Promise<void> {
    const loading: Transport = { over: 'http', ...NOTHING_YET };
    this.#transport = loading;
    try {
      const { HttpTransport } = await import('./http-transport.ts');
      if (this.#transport !== loading) return;
      this.#transport = new HttpTransport(this.#requests, this.#path, this, this.#random);
    } catch {
      if (this.#transport !== loading) return;
      // As long as it cannot be had, sockets are tried again.
      this.#goesByHttp = this.#WebSocket === false;
      this.#drop({ code: 'unavailable', message: 'the code for HTTP could not be loaded' });
    }
  }

  #socket(): Transport {
    const door = {
      WebSocket: this.#WebSocket as SocketConstructor,
      path: this.#path,
      tokens: this.#tokens,
      requests: this.#requests,
      byTicket: this.#byTicket,
      random: this.#random,
    };
    return new WebSocketTransport(door, this);
  }

  /** A browser does not show why a socket did not open, but what a request is answered. */
  async #findOutWhy(): Promise<void> {
    let failure = NOT_OPENED;
    try {
      await this.#requests.look(this.#path);
      this.#blocked += 1;
      this.#goesByHttp = this.#blocked >= MAX_BLOCKED;
    } catch (error) {
      failure = failureOf(error);
    }
    if (this.#isClosed) return;
    if (this.#goesByHttp) this.#connect();
    else this.#drop(failure);
  }

  /** The connection is of no use any more. */
  #drop(failure: Failure): void {
    const { code, retryAfter = 0 } = failure;
    if (FINAL.has(code)) {
      this.#giveUp(failure);
      return;
    }
    this.#leave();
    if (code === 'unauthenticated') {
      this.#tokens.drop();
      if (this.#tokens.areGiven && !this.#isRenewed) {
        this.#isRenewed = true;
        this.#connect();
        return;
      }
    }
    const wait = retryAfter + this.#backOff.next(code === 'shutting_down');
    this.#retry = setTimeout(() => this.#connect(), wait);
    const retryAt = Date.now() + wait;
    this.state.set({ status: 'offline', reason: failure.message, failure, retryAt });
  }

  #giveUp(failure: Failure): void {
    this.#end({ status: 'closed', reason: failure.message, failure });
  }

  #end(state: ConnectionState): void {
    for (const end of this.#signals) end();
    clearTimeout(this.#retry);
    this.#leave();
    this.#logs.clear();
    this.state.set(state);
  }

  #leave(): void {
    if (this.#openedAt !== undefined && Date.now() - this.#openedAt >= LIVED) {
      this.#backOff.reset();
      this.#isRenewed = false;
    }
    this.#openedAt = undefined;
    clearTimeout(this.#socketAgain);
    this.#candidate?.close();
    this.#transport?.close();
    this.#candidate = undefined;
    this.#transport = undefined;
    for (const followed of this.#logs.values()) followed.isLive = false;
    this.isReady.set(false);
  }

  #trySocketLater(): void {
    clearTimeout(this.#socketAgain);
    if (!this.#goesByHttp || this.#WebSocket === false) return;
    const wait = SOCKET_AGAIN * (1 + this.#random());
    this.#socketAgain = setTimeout(() => this.#trySocket(), wait);
  }

  #trySocket(): void {
    if (this.#goesByHttp && this.#WebSocket !== false) this.#candidate ??= this.#socket();
  }

  /** Something has changed around us. */
  #stir(): void {
    if (this.#retry !== undefined) this.#connect();
    else if (this.#openedAt !== undefined) this.#transport?.check();
    else return;
    this.#trySocket();
  }

  #show(): void {
    if (this.#openedAt === undefined) return;
    const { over } = this.#transport!;
    const behind = [...this.#logs.values()].filter(({ isLive }) => !isLive).length;
    const now = this.state.get();
    const status = behind === 0 ? 'live' : 'catching up';
    if (now.status === status && now.over === over) return;
    const reason = behind === 0 ? 'everything has been received' : 'what was missed is being read';
    this.state.set({ status, reason, over });
  }

  // Appends.

  #say(attempt: AppendAttempt, socket: Transport): Promise<AttemptAnswer> {
    this.#refs += 1;
    const ref = this.#refs;
    const message = writeOperation({ op: 'append', ref, ...attempt });
    if (new TextEncoder().encode(message).length > MAX_MESSAGE) return this.#post(attempt, socket);
    return this.#lanes.add(attempt.log, socket, () => socket.append!(ref, message));
  }

  #post(attempt: AppendAttempt, transport: Transport): Promise<AttemptAnswer> {
    return this.#lanes.add(attempt.log, undefined, async () => {
      const answer = await this.#requests.append(attempt);
      if (answer.kind === 'unanswered') transport.check();
      return answer;
    });
  }
}

/** The address of a gateway as requests take it. @throws InvalidInput */
function baseOf(address: string | URL, page: string | undefined): string {
  const url = URL.canParse(address, page) ? new URL(address, page) : undefined;
  const [, rest] = /^(?:http|ws)(s?:\/\/[^?#]*?)\/*(?:[?#].*)?$/.exec(url?.href ?? '') ?? [];
  if (rest !== undefined) return `http${rest}`;
  throw new InvalidInput('url', 'must be that of a gateway, like https://millrace.example');
}
