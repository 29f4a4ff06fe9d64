/**
 * For where WebSockets are blocked: a stream of server-sent events for each of a few logs, as browsers
 * hold only six connections to a host; the others are asked for pages now and then.
 */
import type { StoredEvent } from '../../event/event.ts';
import type { LogName } from '../../event/log-name.ts';
import { pause } from '../../event/pause.ts';
import { readMessage, type StreamMessage } from '../../protocol/event-stream.ts';
import { ServerSentEventReader } from '../../protocol/server-sent-events.ts';
import { failureOf, type Requests } from './requests.ts';
import type { LogFrame, Transport, TransportOwner } from './transport.ts';
import { Unreached } from './unreached.ts';

const MAX_STREAMS = 4;
/** The gateway says something every 25 s. */
const SILENCE = 38_000;
/** How long to wait between pages: so much, and up to twice that. */
const POLL = 3_000;

interface Reading {
  readonly isStream: boolean;
  readonly end: AbortController;
}

export class HttpTransport implements Transport {
  readonly over = 'http';
  readonly #requests: Requests;
  readonly #socketPath: string;
  readonly #owner: TransportOwner;
  readonly #random: () => number;
  readonly #readings = new Map<LogName, Reading>();
  #isOver = false;

  /** @param socketPath is looked at for who may come in */
  constructor(requests: Requests, socketPath: string, owner: TransportOwner, random: () => number) {
    this.#requests = requests;
    this.#socketPath = socketPath;
    this.#owner = owner;
    this.#random = random;
    void this.#look().then(() => {
      if (!this.#isOver) owner.opened(this);
    });
  }

  follow(log: LogName): void {
    this.unfollow(log);
    const streams = [...this.#readings.values()].filter(({ isStream }) => isStream).length;
    const reading = { isStream: streams < MAX_STREAMS, end: new AbortController() };
    this.#readings.set(log, reading);
    void this.#read(log, reading);
  }

  unfollow(log: LogName): void {
    this.#readings.get(log)?.end.abort();
    this.#readings.delete(log);
  }

  check(): void {
    void this.#look();
    // An open stream may lead nowhere by now.
    for (const log of [...this.#readings.keys()]) this.follow(log);
  }

  close(): void {
    this.#isOver = true;
    for (const log of [...this.#readings.keys()]) this.unfollow(log);
  }

  async #look(): Promise<void> {
    try {
      await this.#requests.look(this.#socketPath);
    } catch (error) {
      if (this.#isOver) return;
      this.close();
      this.#owner.ended(this, failureOf(error));
    }
  }

  async #read(log: LogName, { isStream, end: { signal } }: Reading): Promise<void> {
    const tell = (frame: LogFrame) => {
      if (!signal.aborted) this.#owner.received(this, frame);
    };
    try {
      while (!signal.aborted) {
        if (isStream) await this.#stream(log, signal, tell);
        else await this.#poll(log, signal, tell);
      }
    } catch (error) {
      tell({ op: 'error', log, failure: failureOf(error) });
    }
  }

  async #stream(
    log: LogName,
    signal: AbortSignal,
    tell: (frame: LogFrame) => void,
  ): Promise<never> {
    const silence = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(end, SILENCE);
    };
    const end = () => {
      clearTimeout(timer);
      silence.abort();
    };
    signal.addEventListener('abort', end);
    try {
      heard();
      const bytes = await this.#requests.stream(log, this.#owner.startOf(log), silence.signal);
      const text = new TextDecoder();
      const reader = new ServerSentEventReader();
      for (;;) {
        // Cut, silent for too long, or at its end: the same to us.
        const { value } = await bytes.read().catch(() => ({ value: undefined }));
        if (value === undefined) throw new Unreached('the event stream has ended');
        heard();
        const messages = reader.read(text.decode(value, { stream: true })).map(readMessage);
        for (const frame of framesOf(log, messages)) tell(frame);
      }
    } finally {
      clearTimeout(timer);
      // Not read to its end, it would go on.
      silence.abort();
      signal.removeEventListener('abort', end);
    }
  }

  async #poll(log: LogName, signal: AbortSignal, tell: (frame: LogFrame) => void): Promise<void> {
    try {
      const start = this.#owner.startOf(log);
      const { events, cursor, more } = await this.#requests.page(log, start, undefined, signal);
      if (events.length > 0) tell({ op: 'events', log, events });
      if (more) return;
      tell({ op: 'live', log, at: cursor });
    } catch (error) {
      const { code, resumeAfter, version } = failureOf(error);
      if (code === 'trimmed') return tell({ op: 'trimmed', log, resumeAfter: resumeAfter! });
      if (code === 'reset') return tell({ op: 'reset', log, version: version! });
      throw error;
    }
    await pause(POLL * (1 + this.#random()), signal);
  }
}

/** Events that came together are handed on together. */
function* framesOf(log: LogName, messages: readonly StreamMessage[]): Generator<LogFrame> {
  let events: StoredEvent[] = [];
  for (const message of messages) {
    if (message.kind === 'event') {
      events.push(message.event);
      continue;
    }
    if (events.length > 0) yield { op: 'events', log, events };
    events = [];
    const { kind } = message;
    if (kind === 'failed') yield { op: 'error', log, failure: message.failure };
    else if (kind === 'live') yield { op: kind, log, at: message.at };
    else if (kind === 'trimmed') yield { op: kind, log, resumeAfter: message.resumeAfter };
    else if (kind === 'reset') yield { op: kind, log, version: message.version };
  }
  if (events.length > 0) yield { op: 'events', log, events };
}
