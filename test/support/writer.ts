/**
 * A real client that appends to one log over a WebSocket, and writes down how each append ended.
 *
 * With a producer it repeats what it has no answer for, as the design allows; without one it must
 * take a lost answer for what it is: unknown.
 */
import { WebSocket } from 'ws';
import type { EventId } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import { type Frame, readFrame } from '../../src/protocol/json-frames.ts';
import { writeOperation } from '../../src/protocol/json-operations.ts';
import type { AppendRecord, Outcome } from './history.ts';
import { payloadWith } from './wire.ts';

export interface WriterOptions {
  readonly name: string;
  readonly log: LogName;
  /** The base, like `ws://127.0.0.1:4000`. */
  readonly gateway: string;
  readonly producer: boolean;
  /** How many appends it has under way at once. Default 1. */
  readonly window?: number;
  /** What comes next: how many events, how large, and how long to wait before it, in milliseconds. */
  readonly next: () => { readonly events: number; readonly bytes: number; readonly wait: number };
  /** Called whenever an append goes out. */
  readonly onSend?: (tags: readonly string[]) => void;
}

interface Pending {
  readonly ref: number;
  readonly tags: readonly string[];
  readonly bytes: number;
  outcome: Outcome | undefined;
  ids: readonly EventId[];
}

/** After any of these an append is repeated if it has a producer. */
const REPEATABLE = new Set(['unavailable', 'outcome_unknown', 'producer_gap']);
const RECONNECT_AFTER = 50;
const REPEAT_AFTER = 50;

export class Writer {
  readonly name: string;
  /** Answers that no right run brings. */
  readonly problems: string[] = [];
  /** How often each error code was answered. */
  readonly refusals = new Map<string, number>();
  readonly #options: WriterOptions;
  readonly #made: Pending[] = [];
  #underWay: Pending[] = [];
  #socket: WebSocket | undefined;
  #stopping = false;
  #nextTimer: NodeJS.Timeout | undefined;
  #repeatTimer: NodeJS.Timeout | undefined;

  constructor(options: WriterOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** What it did so far; what it has no answer for yet is unknown. */
  get appends(): AppendRecord[] {
    return this.#made.map(({ tags, outcome = 'unknown', ids }) => ({
      writer: this.name,
      tags,
      outcome,
      ids,
    }));
  }

  get acknowledged(): number {
    return this.#made.filter(({ outcome }) => outcome === 'acknowledged').length;
  }

  /** Whether every append has come to its end. */
  get settled(): boolean {
    return this.#underWay.length === 0;
  }

  /** How it stands, for failure messages. */
  get summary(): string {
    const { length: made } = this.#made;
    const refs = this.#underWay.map(({ ref }) => ref).join(', ');
    const codes = Array.from(this.refusals, ([code, count]) => `${code} ${count}`).join(', ');
    const state = this.#open === undefined ? 'not connected' : 'connected';
    return `${this.name} (${state}) made ${made}, waits for ${refs}; was answered ${codes}`;
  }

  start(): this {
    this.#connect();
    this.#scheduleNext();
    return this;
  }

  /** Makes no new append; those under way go on until they are settled. */
  finish(): void {
    this.#stopping = true;
    clearTimeout(this.#nextTimer);
  }

  stop(): void {
    this.finish();
    clearTimeout(this.#repeatTimer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
  }

  #connect(): void {
    const { gateway, name } = this.#options;
    const path = `/ws/${name}?format=json&after=now`;
    const socket = new WebSocket(`${gateway}${path}`, { perMessageDeflate: false });
    this.#socket = socket;
    socket.on('open', () => this.#sendAll());
    socket.on('message', (data) => this.#take(readFrame(String(data))));
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      if (!this.#options.producer)
        for (const append of this.#underWay) this.#settle(append, 'unknown');
      if (!(this.#stopping && this.settled)) setTimeout(() => this.#connect(), RECONNECT_AFTER);
    });
  }

  #scheduleNext(): void {
    if (this.#stopping) return;
    const { events, bytes, wait } = this.#options.next();
    this.#nextTimer = setTimeout(() => {
      if (this.#open !== undefined && this.#underWay.length < (this.#options.window ?? 1)) {
        this.#make(events, bytes);
      }
      this.#scheduleNext();
    }, wait);
  }

  #make(events: number, bytes: number): void {
    const ref = this.#made.length;
    const tags = Array.from({ length: events }, (_, index) => `${this.name}/${ref}.${index}`);
    const append: Pending = { ref, tags, bytes, outcome: undefined, ids: [] };
    this.#made.push(append);
    this.#underWay.push(append);
    this.#send(append);
  }

  #send({ ref, tags, bytes }: Pending): void {
    const { log, name, producer, onSend } = this.#options;
    onSend?.(tags);
    this.#open?.send(
      writeOperation({
        ...{ op: 'append', ref, log },
        events: tags.map((tag) => ({ type: 'Written', payload: payloadWith(tag, bytes) })),
        producer: producer ? { id: name, epoch: 0, seq: ref } : undefined,
      }),
    );
  }

  #sendAll(): void {
    for (const append of this.#underWay) this.#send(append);
  }

  get #open(): WebSocket | undefined {
    return this.#socket?.readyState === WebSocket.OPEN ? this.#socket : undefined;
  }

  #take(frame: Frame): void {
    if (frame.op !== 'appended' && frame.op !== 'error') return;
    if (frame.op === 'error') {
      const { code } = frame.failure;
      this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    }
    if (typeof frame.ref !== 'number') this.problems.push(JSON.stringify(frame));
    const append = this.#underWay.find(({ ref }) => ref === frame.ref);
    // Of an append that was sent twice, the second answer says nothing new.
    if (append === undefined) return;
    if (frame.op === 'appended') {
      append.ids = frame.appended.ids;
      this.#settle(append, 'acknowledged');
    } else if (!REPEATABLE.has(frame.failure.code)) {
      this.problems.push(JSON.stringify(frame));
      this.#settle(append, 'refused');
    } else if (this.#options.producer) {
      this.#repeatSoon();
    } else {
      this.#settle(append, frame.failure.code === 'outcome_unknown' ? 'unknown' : 'refused');
    }
  }

  /** All of them, in order: behind one that failed, the others are gaps. */
  #repeatSoon(): void {
    clearTimeout(this.#repeatTimer);
    this.#repeatTimer = setTimeout(() => this.#sendAll(), REPEAT_AFTER);
  }

  #settle(append: Pending, outcome: Outcome): void {
    append.outcome = outcome;
    this.#underWay = this.#underWay.filter((each) => each !== append);
  }
}
