/**
 * A subscription as an async iterator. By hand: in an async generator a `return()` waits for the
 * `next()` before it, which waits for an event that may never come.
 *
 *   not begun ── next() ──► open ── return(), signal, closed, failed ──► ended
 *       └───────────────── return() ───────────────────────────────────────▲
 */
import type { LogName } from '../event/log-name.ts';
import type { Start } from '../event/start.ts';
import { Closed } from '../event/store-errors.ts';
import type { Batch } from './batch.ts';
import { checkStart } from './check-start.ts';
import type { Delivery } from './delivery.ts';
import type { Live } from './live.ts';
import type { Sink, Subscription } from './sink.ts';

/** How many batches wait for the loop before the subscription stops handing over. */
const MAX_WAITING_BATCHES = 4;

export interface DeliveriesOptions<Item> {
  readonly live: Live;
  readonly log: LogName;
  readonly start: Start;
  readonly signal: AbortSignal | undefined;
  /** What the loop gets; nothing: it is passed over. What this throws ends the loop. */
  readonly itemOf: (delivery: Delivery) => Item | undefined;
}

interface Asked<Item> {
  resolve(result: IteratorResult<Item, void>): void;
  reject(reason: unknown): void;
}

type Arrival = Batch | Exclude<Delivery, { kind: 'event' }>;

export class Deliveries<Item> implements AsyncGenerator<Item, void, undefined> {
  readonly #options: DeliveriesOptions<Item>;
  #state: 'not begun' | 'open' | 'ended' = 'not begun';
  #subscription: Subscription | undefined;
  readonly #arrived: Arrival[] = [];
  /** What is being told event by event, and how far that is. */
  #batch: Batch | undefined;
  #told = 0;
  /** Comes when all that has arrived before it is told. */
  #failed: { readonly error: unknown } | undefined;
  /** What the next `next()` is told, once. */
  #failure: { readonly error: unknown } | undefined;
  /** Calls of `next()` that wait. */
  readonly #asked: Asked<Item>[] = [];

  /** @throws InvalidInput for a bad start */
  constructor(options: DeliveriesOptions<Item>) {
    this.#options = { ...options, start: checkStart(options.start) };
  }

  next(): Promise<IteratorResult<Item, void>> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      this.#begin();
      this.#answer();
    });
  }

  async return(): Promise<IteratorResult<Item, void>> {
    this.#end();
    this.#failure = undefined;
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Item, void>> {
    await this.return();
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #begin(): void {
    if (this.#state !== 'not begun') return;
    this.#state = 'open';
    const { live, log, start, signal } = this.#options;
    try {
      signal?.throwIfAborted();
      this.#subscription = live.subscribe(log, start, this.#sink());
      signal?.addEventListener('abort', this.#onAbort);
    } catch (error) {
      this.#end({ error });
    }
  }

  #sink(): Sink {
    const arrive = (arrival: Arrival): void => {
      this.#arrived.push(arrival);
      this.#answerSoon();
    };
    return {
      ready: () => this.#arrived.length < MAX_WAITING_BATCHES,
      batch: arrive,
      live: (at) => arrive({ kind: 'live', at }),
      trimmed: (resumeAfter) => arrive({ kind: 'trimmed', resumeAfter }),
      reset: (version) => arrive({ kind: 'reset', version }),
      failed: (error) => {
        if (error instanceof Closed) {
          this.#end({ error });
          return;
        }
        this.#failed = { error };
        this.#answerSoon();
      },
    };
  }

  readonly #onAbort = (): void => this.#end({ error: this.#options.signal?.reason });

  /** Not at once: what decodes is somebody else's code, and other readers wait for this one. */
  #answerSoon(): void {
    if (this.#asked.length > 0) queueMicrotask(() => this.#answer());
  }

  #answer(): void {
    while (this.#asked.length > 0) {
      const item = this.#take();
      if (item !== undefined) this.#asked.shift()?.resolve({ done: false, value: item });
      else if (this.#state === 'open') {
        this.#subscription?.drained();
        return;
      } else this.#answerEnded();
    }
  }

  #answerEnded(): void {
    const asked = this.#asked.shift();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure === undefined) asked?.resolve({ done: true, value: undefined });
    else asked?.reject(failure.error);
  }

  /** The next item; undefined when there is none, be it for now or for good. */
  #take(): Item | undefined {
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        const item = this.#options.itemOf(next);
        if (item !== undefined) return item;
      }
    } catch (error) {
      this.#end({ error });
    }
    if (this.#failed !== undefined) this.#end(this.#failed);
    return undefined;
  }

  #next(): Delivery | undefined {
    if (this.#batch === undefined) {
      const arrival = this.#arrived.shift();
      if (arrival === undefined || 'kind' in arrival) return arrival;
      this.#batch = arrival;
      this.#told = 0;
    }
    const { events } = this.#batch;
    const event = events[this.#told]!;
    this.#told += 1;
    if (this.#told === events.length) this.#batch = undefined;
    return { kind: 'event', event };
  }

  /** What was not told yet stays untold: it is in the log. */
  #end(failure?: { readonly error: unknown }): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#failure = failure;
    this.#arrived.length = 0;
    this.#batch = undefined;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#subscription?.close();
    while (this.#asked.length > 0) this.#answerEnded();
  }
}
