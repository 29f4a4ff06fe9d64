/**
 * A real client that reads one log over a WebSocket and comes back with its last ID whenever it
 * loses its connection, and writes down everything that it was told.
 */
import { WebSocket } from 'ws';
import { type EventId, ZERO_ID } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import { type Frame, readFrame } from '../../src/protocol/json-frames.ts';
import { writeOperation } from '../../src/protocol/json-operations.ts';
import type { Operation } from '../../src/protocol/operation.ts';
import type { ReaderHistory, ReaderStep } from './history.ts';
import { seen } from './wire.ts';

export interface ReaderOptions {
  readonly name: string;
  readonly log: LogName;
  /** The base, like `ws://127.0.0.1:4000`. */
  readonly gateway: string;
  /** How it asks for the log: as the socket's own account, or with `subscribe`. Default: as the account. */
  readonly via?: 'account' | 'subscribe';
  /** Come back after a lost connection by itself. Default true. */
  readonly reconnects?: boolean;
}

const RECONNECT_AFTER = 50;

export class Reader {
  readonly name: string;
  readonly log: LogName;
  readonly steps: ReaderStep[] = [];
  /** Frames that say that something went wrong on our side of the protocol. */
  readonly errors: string[] = [];
  /** The codes with which its connections were closed. */
  readonly closeCodes: number[] = [];
  /** Called for each event as it comes. */
  onEvent: ((tag: string, id: EventId) => void) | undefined;
  readonly #options: ReaderOptions;
  #socket: WebSocket | undefined;
  #cursor: EventId = ZERO_ID;
  #live = false;
  #stopped = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ReaderOptions) {
    this.name = options.name;
    this.log = options.log;
    this.#options = options;
  }

  get cursor(): EventId {
    return this.#cursor;
  }

  /** Whether it has been told that it is live since it connected last. */
  get live(): boolean {
    return this.#live;
  }

  get connected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  get history(): ReaderHistory {
    return { reader: this.name, steps: this.steps };
  }

  count(step: ReaderStep['step']): number {
    return this.steps.filter((each) => each.step === step).length;
  }

  /** Connects with its last ID. */
  start(): this {
    this.#stopped = false;
    this.#connect();
    return this;
  }

  /** Drops the connection without a goodbye; it comes back by itself if it reconnects. */
  cut(): void {
    this.#socket?.terminate();
  }

  /** Stops reading from the socket. */
  stall(): void {
    this.#socket?.pause();
  }

  readAgain(): void {
    this.#socket?.resume();
  }

  /** Sends an operation of the JSON protocol on the connection that it has. */
  send(operation: Operation): void {
    this.#socket?.send(writeOperation(operation));
  }

  /** Ends the connection and stays away until {@link start}. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
  }

  #connect(): void {
    const { via = 'account', gateway, log, name } = this.#options;
    const after = this.#cursor;
    const path =
      via === 'account'
        ? `/ws/${log.slice(log.indexOf(':') + 1)}?format=json&after=${after}`
        : `/ws/${name}?format=json&after=now`;
    const socket = new WebSocket(`${gateway}${path}`, { perMessageDeflate: false });
    this.#socket = socket;
    socket.on('open', () => {
      this.steps.push({ step: 'connected', after });
      if (via !== 'subscribe') return;
      const operation = { op: 'subscribe', log, start: { after } } as const;
      socket.send(writeOperation(operation));
    });
    socket.on('message', (data) => {
      // What a dropped connection still had in its buffers was never received.
      if (this.#socket === socket) this.#take(readFrame(String(data)));
    });
    socket.on('error', () => {});
    socket.on('close', (code) => {
      this.closeCodes.push(code);
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#live = false;
      if (this.#stopped || this.#options.reconnects === false) return;
      this.#timer = setTimeout(() => this.#connect(), RECONNECT_AFTER);
    });
  }

  #take(frame: Frame): void {
    if (frame.op === 'error') this.errors.push(JSON.stringify(frame));
    if (!('log' in frame) || frame.log !== this.log) return;
    switch (frame.op) {
      case 'events':
        for (const event of frame.events) {
          const { id, tag } = seen(event);
          this.steps.push({ step: 'event', id, tag });
          this.#cursor = id;
          this.onEvent?.(tag, id);
        }
        break;
      case 'live':
        this.#live = true;
        break;
      case 'trimmed':
        this.steps.push({ step: 'trimmed', resumeAfter: frame.resumeAfter });
        this.#cursor = frame.resumeAfter;
        break;
      case 'reset':
        this.steps.push({ step: 'reset', version: frame.version });
        this.#cursor = ZERO_ID;
        break;
    }
  }
}
