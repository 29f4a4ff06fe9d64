/**
 * A log as an async iterator. What comes faster than it is taken is not kept: beyond a bound the log
 * is read by pages, as they are asked for, until the reader is back at its end.
 *
 *   not begun ──► following ◄──────────────► reading pages
 *                     └── trimmed, reset, failed, return(), signal ──► ended
 */
import type { StoredEvent } from '../../event/event.ts';
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { codeOf } from '../../event/thrown.ts';
import type { Failure } from '../../protocol/problem.ts';
import type { ClientContext } from '../client-context.ts';
import { Refused } from '../errors.ts';
import type { ClientStart } from '../upstream.ts';

const MOST_WAITING = 1_000;
const PAGE = 200;

interface Asked<Item> {
  resolve(result: IteratorResult<Item, undefined>): void;
  reject(reason: unknown): void;
}

export interface EventIteratorParts<Item> extends Pick<ClientContext, 'channels' | 'pages'> {
  readonly log: LogName;
  readonly start: ClientStart;
  readonly signal: AbortSignal | undefined;
  /** What the loop gets; nothing: it is passed over. What this throws ends the loop. */
  readonly itemOf: (event: StoredEvent) => Item | undefined;
}

export class EventIterator<Item> implements AsyncIterableIterator<Item, undefined> {
  readonly #parts: EventIteratorParts<Item>;
  #waiting: StoredEvent[] = [];
  /** Of those that wait, so many have been taken. */
  #taken = 0;
  #asked: Asked<Item>[] = [];
  /** From where it goes on, once all that waits is taken. */
  #next: ClientStart;
  #state: 'idle' | 'following' | 'paging' | 'ended' = 'idle';
  /** What the loop is told when all that waits is taken, once. */
  #failure: { readonly reason: unknown } | undefined;
  #isReading = false;
  #unfollow = () => {};

  constructor(parts: EventIteratorParts<Item>) {
    this.#parts = parts;
    this.#next = parts.start;
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      this.#answer();
    });
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    this.#waiting = [];
    this.#end();
    this.#failure = undefined;
    this.#answer();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Item, undefined>> {
    await this.return();
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #onAbort = (): void => {
    this.#waiting = [];
    this.#fail(this.#parts.signal?.reason);
  };

  #fail(reason: unknown): void {
    if (this.#state === 'ended') return;
    this.#failure = { reason };
    this.#end();
    this.#answer();
  }

  #end(): void {
    this.#state = 'ended';
    this.#unfollow();
    this.#parts.signal?.removeEventListener('abort', this.#onAbort);
  }

  #answer(): void {
    while (this.#asked.length > 0) {
      const event = this.#waiting[this.#taken];
      if (event !== undefined) {
        this.#taken += 1;
        this.#give(event);
      } else if (this.#state === 'ended') {
        const asked = this.#asked.shift();
        const failure = this.#failure;
        this.#failure = undefined;
        if (failure === undefined) asked?.resolve({ done: true, value: undefined });
        else asked?.reject(failure.reason);
      } else {
        this.#waiting = [];
        this.#taken = 0;
        if (this.#state === 'idle') this.#begin();
        else if (this.#state === 'paging' && !this.#isReading) void this.#readPage();
        return;
      }
    }
  }

  #give(event: StoredEvent): void {
    try {
      const value = this.#parts.itemOf(event);
      if (value !== undefined) this.#asked.shift()?.resolve({ done: false, value });
    } catch (error) {
      this.#waiting = [];
      this.#fail(error);
    }
  }

  #begin(): void {
    const { signal } = this.#parts;
    if (signal?.aborted) {
      this.#onAbort();
      return;
    }
    signal?.addEventListener('abort', this.#onAbort);
    this.#follow();
  }

  #follow(): void {
    const { channels, log } = this.#parts;
    this.#state = 'following';
    const fail = (failure: Failure) => {
      // That the client was closed is no failure of the loop.
      if (failure.code === 'closed') this.#end();
      this.#fail(new Refused(failure));
      this.#answer();
    };
    this.#unfollow = channels.open(log, this.#next, {
      events: (events) => {
        this.#add(events, events.at(-1)!.id);
        this.#answer();
        if (this.#waiting.length - this.#taken > MOST_WAITING) this.#lag();
      },
      live: () => {},
      trimmed: (resumeAfter) => fail(trimmedOf(log, resumeAfter)),
      reset: (version) => fail(resetOf(log, version)),
      failed: fail,
    });
  }

  #add(events: readonly StoredEvent[], after: EventId): void {
    this.#next = { after };
    this.#waiting = [...this.#waiting.slice(this.#taken), ...events];
    this.#taken = 0;
  }

  /** The loop is slower than what comes. */
  #lag(): void {
    this.#unfollow();
    this.#state = 'paging';
    this.#waiting = this.#waiting.slice(this.#taken, this.#taken + MOST_WAITING);
    this.#taken = 0;
    this.#next = { after: this.#waiting.at(-1)!.id };
  }

  async #readPage(): Promise<void> {
    const { pages, log } = this.#parts;
    this.#isReading = true;
    try {
      const page = await pages.page(log, this.#next, PAGE);
      if (this.#isEnded()) return;
      this.#add(page.events, page.cursor);
      if (!page.more) this.#follow();
    } catch (error) {
      if (this.#isEnded()) return;
      const code = codeOf(error);
      if (code === 'trimmed' || code === 'reset') this.#fail(error);
      // Following knows what is worth waiting for.
      else this.#follow();
    } finally {
      this.#isReading = false;
      this.#answer();
    }
  }

  #isEnded(): boolean {
    return this.#state === 'ended';
  }
}

function trimmedOf(log: LogName, resumeAfter: EventId): Failure {
  const message = `events of ${log} up to ${resumeAfter} are no longer kept; go on with { after: '${resumeAfter}' }`;
  return { code: 'trimmed', message, resumeAfter };
}

function resetOf(log: LogName, version: EventId): Failure {
  const message = `${log} has lost events that were read: forget them, and read it from its start`;
  return { code: 'reset', message, version };
}
