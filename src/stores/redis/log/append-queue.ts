/**
 * Appends on their way to Redis. All that are made in one turn of the event loop go out as one
 * script call, or as several when they exceed its bounds, and always in the order they came in.
 *
 *            ┌─────────── waiting ───────────┐        ┌──── in flight ────┐
 *   append ──► order of arrival, bounded     ├─ send ─► a batch per call  ├──► answer
 *            └──▲─────────────┬──────────────┘        └────┬─────────┬────┘
 *               │      too long: Unavailable               │         └ no answer: OutcomeUnknown
 *               └────────── not sent, or script unknown ───┘
 *
 * Nothing that may have reached Redis is ever sent again.
 */
import type { Redis } from 'ioredis';
import type { Appended } from '../../../event/appended.ts';
import type { EncodedEvent } from '../../../event/event.ts';
import type { LogName } from '../../../event/log-name.ts';
import { Closed, OutcomeUnknown, Unavailable } from '../../../event/store-errors.ts';
import type { AppendOptions } from '../../../log/log.ts';
import { outcomeOf } from '../../../metrics/append-outcome.ts';
import type { Observer } from '../../../metrics/observer.ts';
import { channelPrefix, FEED_KEY, FEED_MARKS_KEY, logKey, metaKey, producersKey } from '../keys.ts';
import { failureOf, reasonOf } from '../place/connection.ts';
import { cutIfSilent } from '../place/liveness.ts';
import { CallWriter } from '../place/written-call.ts';
import { readAnswer } from './append-answer.ts';
import { APPEND_SCRIPT } from './scripts.ts';

/** Keeps one script call short for Redis, which does nothing else meanwhile. */
const BATCH_APPENDS = 64;
const BATCH_EVENTS = 256;
const BATCH_BYTES = 1_048_576;

/**
 * While so many calls are under way, appends that do not fill one wait for an answer and go
 * together: a call costs Redis as much as five appends within it.
 */
const CALLS_IN_FLIGHT = 4;

/** Larger events are published by ID only, so that no publication can overrun a subscriber. */
const INLINE_EVENT_BYTES = 16_384;
const INLINE_BYTES = 65_536;

export interface AppendQueueOptions {
  /** How long an append may wait for a connection, in milliseconds. */
  readonly appendWait: number;
  /** How long Redis may take to answer, in milliseconds, before the connection counts as dead. */
  readonly replyTimeout: number;
  /** After how many milliseconds without an append a producer is forgotten. */
  readonly producerIdle: number;
  /** How many appends may be under way at once. */
  readonly maxAppends: number;
  /** How many bytes of events may be under way at once. */
  readonly maxBytes: number;
}

/** One append under way. */
interface Pending {
  readonly log: LogName;
  readonly options: AppendOptions;
  readonly events: readonly EncodedEvent[];
  readonly bytes: number;
  /** Counts the appends, so that those taken back find their place again. */
  readonly order: number;
  readonly since: number;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: Error) => void;
}

interface SentBatch {
  readonly pending: readonly Pending[];
  readonly sentAt: number;
  readonly cutIfSilent: () => void;
  settled: boolean;
}

export class AppendQueue {
  readonly #redis: Redis;
  readonly #calls: CallWriter;
  readonly #options: AppendQueueOptions;
  #waiting: Pending[] = [];
  readonly #inFlight = new Set<SentBatch>();
  #appends = 0;
  #bytes = 0;
  #nextOrder = 0;
  #flushScheduled = false;
  #open = false;
  #stopped = false;
  #closed = false;
  #whenEmpty: (() => void) | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #restart: () => void;
  readonly #observer: Observer;

  /** @param restart called when the queue has stopped by itself: send the scripts, then {@link open} it */
  constructor(redis: Redis, options: AppendQueueOptions, restart: () => void, observer: Observer) {
    this.#redis = redis;
    this.#calls = new CallWriter(redis);
    this.#options = options;
    this.#restart = restart;
    this.#observer = observer;
    const period = Math.max(10, Math.min(250, options.appendWait, options.replyTimeout));
    this.#timer = setInterval(() => this.#checkTimes(), period);
    this.#timer.unref();
  }

  /** The connection is up and the server knows the scripts. */
  open(): void {
    this.#open = true;
    this.#scheduleFlush();
  }

  /** The connection is lost: what comes waits. */
  pause(): void {
    this.#open = false;
  }

  append(log: LogName, events: readonly EncodedEvent[], options: AppendOptions): Promise<Appended> {
    if (this.#closed) return Promise.reject(new Closed());
    const { maxAppends, maxBytes } = this.#options;
    let bytes = 0;
    for (const event of events) bytes += event.size;
    if (this.#appends >= maxAppends || (this.#bytes > 0 && this.#bytes + bytes > maxBytes)) {
      const reason = `${this.#appends} appends with ${this.#bytes} bytes are under way already`;
      return Promise.reject(new Unavailable(reason));
    }
    this.#appends += 1;
    this.#bytes += bytes;
    return new Promise((resolve, reject) => {
      const since = performance.now();
      const order = this.#nextOrder++;
      this.#waiting.push({ log, options, events, bytes, order, since, resolve, reject });
      this.#scheduleFlush();
    });
  }

  /** Takes no more; resolves when all that is under way has been answered, or `patience` milliseconds are over. */
  async close(patience: number): Promise<void> {
    this.#closed = true;
    if (this.#appends > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve;
        timer = setTimeout(resolve, patience);
      });
      clearTimeout(timer);
    }
    clearInterval(this.#timer);
    this.#open = false;
    this.#failWaiting(this.#waiting.length, new Closed());
    for (const batch of this.#inFlight) this.#fail(batch, new OutcomeUnknown('closing'));
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || !this.#open || this.#waiting.length === 0) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    let start = 0;
    while (this.#open && start < this.#waiting.length) {
      let end = start;
      let bytes = 0;
      let count = 0;
      while (end < this.#waiting.length && end - start < BATCH_APPENDS) {
        bytes += this.#waiting[end]!.bytes;
        count += this.#waiting[end]!.events.length;
        // One append may exceed the bounds alone: it cannot be divided.
        if (end > start && (bytes > BATCH_BYTES || count > BATCH_EVENTS)) break;
        end += 1;
      }
      const isFull = end < this.#waiting.length || end - start === BATCH_APPENDS;
      if (!isFull && this.#inFlight.size >= CALLS_IN_FLIGHT) break;
      void this.#send(this.#waiting.slice(start, end));
      start = end;
    }
    this.#waiting = start === this.#waiting.length ? [] : this.#waiting.slice(start);
  }

  async #send(pending: readonly Pending[]): Promise<void> {
    const batch: SentBatch = {
      pending,
      sentAt: performance.now(),
      cutIfSilent: cutIfSilent(this.#redis),
      settled: false,
    };
    this.#inFlight.add(batch);
    try {
      this.#answer(batch, (await this.#write(pending)) as string);
    } catch (error) {
      this.#handleFailure(batch, error);
    }
  }

  /** One call of the script for all of them; see `append.lua`. */
  #write(pending: readonly Pending[]): Promise<unknown> {
    const calls = this.#calls;
    let values = 5;
    for (const { events } of pending) {
      values += 1;
      for (const event of events) values += fieldCount(event);
    }
    const keys = [FEED_KEY, FEED_MARKS_KEY];
    for (const { log } of pending) keys.push(logKey(log));
    for (const { log } of pending) keys.push(metaKey(log));
    for (const { log, options } of pending) {
      if (options.producer !== undefined) keys.push(producersKey(log));
    }
    calls.begin(APPEND_SCRIPT, keys, values);
    calls.text(channelPrefix(this.#redis.options.db ?? 0));
    calls.text(String(this.#options.producerIdle));
    calls.text(String(INLINE_EVENT_BYTES));
    calls.text(String(INLINE_BYTES));
    calls.text(String(pending.length));
    for (const { options, events } of pending) {
      calls.text(headOf(options, events));
      for (const event of events) writeFields(calls, event);
    }
    return calls.send();
  }

  #answer(batch: SentBatch, reply: string): void {
    const lines = reply.split('\n');
    if (!this.#settle(batch)) return;
    this.#observer.time('append_batch', performance.now() - batch.sentAt);
    // What was the primary is a replica now: find the one that took over.
    if (reply.includes('refused READONLY')) this.#redis.disconnect(true);
    batch.pending.forEach((pending, index) => {
      const result = readAnswer(pending.log, pending.options, lines[index] ?? '');
      this.#observer.count('appends', 1, outcomeOf(result));
      if (result instanceof Error) pending.reject(result);
      else pending.resolve(result);
    });
  }

  #handleFailure(batch: SentBatch, error: unknown): void {
    if (batch.settled) return;
    switch (failureOf(error)) {
      case 'unanswered':
        this.#fail(batch, new OutcomeUnknown(reasonOf(error)));
        return;
      case 'refused':
        this.#fail(batch, new Unavailable(reasonOf(error)));
        return;
      case 'no_script':
      case 'not_sent':
        // Stop here, so that what waits cannot overtake; all that was sent after this batch
        // comes back the same way, in order.
        this.#open = false;
        this.#stopped = true;
        this.#takeBack(batch);
    }
  }

  #takeBack(batch: SentBatch): void {
    batch.settled = true;
    const { order } = batch.pending[0]!;
    const later = this.#waiting.findIndex((pending) => pending.order > order);
    this.#waiting.splice(later < 0 ? this.#waiting.length : later, 0, ...batch.pending);
    this.#land(batch);
  }

  #land(batch: SentBatch): void {
    this.#inFlight.delete(batch);
    this.#scheduleFlush();
    if (!this.#stopped || this.#inFlight.size > 0) return;
    this.#stopped = false;
    this.#restart();
  }

  /** Once only: a reply may come after the batch was given up. */
  #settle(batch: SentBatch): boolean {
    if (batch.settled) return false;
    batch.settled = true;
    this.#land(batch);
    this.#release(batch.pending);
    return true;
  }

  #fail(batch: SentBatch, error: Error): void {
    if (!this.#settle(batch)) return;
    this.#observer.count('appends', batch.pending.length, outcomeOf(error));
    for (const pending of batch.pending) pending.reject(error);
  }

  #failWaiting(count: number, error: Error): void {
    const failed = this.#waiting.splice(0, count);
    this.#release(failed);
    if (failed.length > 0) this.#observer.count('appends', failed.length, outcomeOf(error));
    for (const pending of failed) pending.reject(error);
  }

  #release(pending: readonly Pending[]): void {
    this.#appends -= pending.length;
    for (const { bytes } of pending) this.#bytes -= bytes;
    if (this.#appends === 0) this.#whenEmpty?.();
  }

  #checkTimes(): void {
    const now = performance.now();
    const { appendWait, replyTimeout } = this.#options;
    let expired = 0;
    while (expired < this.#waiting.length && now - this.#waiting[expired]!.since > appendWait) {
      expired += 1;
    }
    if (expired > 0) {
      this.#failWaiting(expired, new Unavailable(`no connection to Redis for ${appendWait} ms`));
    }
    for (const batch of this.#inFlight) {
      if (now - batch.sentAt <= replyTimeout) break;
      this.#fail(batch, new OutcomeUnknown(`Redis took more than ${replyTimeout} ms`));
      // Whatever follows on this connection would wait as well.
      batch.cutIfSilent();
    }
  }
}

/** What the script must know of an append beside its strings; see `append.lua`. */
function headOf({ expected, producer }: AppendOptions, events: readonly EncodedEvent[]): string {
  const isUsual = expected === undefined && producer === undefined && events.length === 1;
  if (isUsual) return `${fieldCount(events[0]!)}${fieldLengths(events[0]!)}`;
  // Without a producer there is no epoch: every other word could be one of a producer's.
  const { id = '-', epoch = '-', seq = 0 } = producer ?? {};
  return [expected ?? '-', id, epoch, seq, ...events.map(fieldCount)].join(' ');
}

function fieldCount({ codec, meta }: EncodedEvent): number {
  return 4 + (codec === 'text' ? 0 : 2) + (meta === undefined ? 0 : 2);
}

/** The lengths of what {@link writeFields} writes, in bytes, a space before each. */
function fieldLengths({ type, codec, meta, size }: EncodedEvent): string {
  const ofType = Buffer.byteLength(type);
  const ofMeta = meta === undefined ? 0 : Buffer.byteLength(meta);
  const usual = ` 4 ${ofType} 7 ${size - ofType - ofMeta}`;
  const withCodec = codec === 'text' ? usual : `${usual} 5 ${codec.length}`;
  return meta === undefined ? withCodec : `${withCodec} 4 ${ofMeta}`;
}

function writeFields(calls: CallWriter, event: EncodedEvent): void {
  const { type, codec, data, meta } = event;
  calls.text('type');
  calls.text(type);
  calls.text('payload');
  if (typeof data === 'string') calls.text(data);
  else calls.bytes(data);
  if (codec !== 'text') {
    calls.text('codec');
    calls.text(codec);
  }
  if (meta !== undefined) {
    calls.text('meta');
    calls.text(meta);
  }
}
