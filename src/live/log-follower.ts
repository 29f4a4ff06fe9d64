/**
 * One log that this process follows, for all its readers: knows the tail, hands what comes to
 * the readers that are up to date, and reads the log itself where a wake-up brings no events or
 * leaves a gap.
 *
 *   publication (previous, events)
 *     previous = tail              → take: the tail moves, live readers get the events
 *     last event ≤ tail            → known already
 *     an event = tail              → take the rest
 *     otherwise (gap, or lost tail)→ read from the tail, checked
 */
import type { StoredEvent } from '../event/event.ts';
import { type EventId, isAfter, ZERO_ID } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Follower, Page } from '../log/log.ts';
import { batchesOf } from './batch.ts';
import type { FollowedLog } from './followed-log.ts';
import { asMillraceError, isPassing, type LiveContext } from './live-context.ts';
import type { LogReader } from './log-reader.ts';
import type { Charge } from './read-budget.ts';
import { weightOf } from './weight.ts';
import { Window } from './window.ts';

export class LogFollower implements Follower, FollowedLog<LogReader> {
  readonly log: LogName;
  readonly window: Window;
  readonly started: Promise<void>;
  tail: EventId = ZERO_ID;
  wakes = 0;
  readonly #context: LiveContext;
  readonly #readers = new Set<LogReader>();
  readonly #onIdle: () => void;
  #unfollow: (() => void) | undefined;
  /** Ends the wait for the store, which can be long; there only while that is waited for. */
  #leaving: AbortController | undefined = new AbortController();
  #isStarted = false;
  #isReading = false;
  #isClosed = false;
  /** Something came while it could not be taken. */
  #missed = false;

  /** @param onIdle called when the last reader has left */
  constructor(log: LogName, context: LiveContext, onIdle: () => void) {
    this.log = log;
    this.#context = context;
    this.#onIdle = onIdle;
    this.window = new Window(ZERO_ID, context.windowBytes, context.windowBudget);
    this.started = this.#start();
  }

  join(reader: LogReader): void {
    this.#readers.add(reader);
    this.#context.subscribed(1);
    reader.readOn();
  }

  leave(reader: LogReader): void {
    if (this.#readers.delete(reader)) this.#context.subscribed(-1);
    if (this.#readers.size > 0) return;
    this.#close();
    this.#onIdle();
  }

  /** Ends all readers, and so itself. */
  fail(error: unknown): void {
    this.#isClosed = true;
    for (const reader of [...this.#readers]) reader.fail(asMillraceError(error));
  }

  position(): EventId {
    return this.tail;
  }

  events(previous: EventId, events: readonly StoredEvent[]): void {
    if (!this.#isStarted || this.#isReading) {
      this.#missed = true;
      return;
    }
    if (!isInOrder(previous, events)) {
      // Whoever published that, it is not how a log grows.
      this.#read();
      return;
    }
    if (previous === this.tail) {
      this.#take(events);
      return;
    }
    if (!isAfter(events[events.length - 1]!.id, this.tail)) return;
    const known = events.findIndex(({ id }) => id === this.tail);
    if (known >= 0) this.#take(events.slice(known + 1));
    else this.#read();
  }

  wake(): void {
    this.wakes += 1;
    // A reader may have been further than the tail, so the tail's check does not speak for it.
    for (const reader of this.#readers) {
      if (reader.isLive && reader.cursor !== this.tail) reader.readOn();
    }
    if (this.#isStarted && !this.#isReading) this.#read();
    else this.#missed = true;
  }

  async #start(): Promise<void> {
    let failures = 0;
    while (!this.#isClosed && !this.#isStarted) {
      try {
        this.#unfollow ??= await this.#context.log.follow(this.log, this, this.#leaving?.signal);
        this.#leaving = undefined;
        if (this.#isClosed) break;
        const { version } = await this.#context.log.read(this.log, { limit: 0, unchecked: true });
        this.tail = version;
        this.window.clear(version);
        this.#isStarted = true;
      } catch (error) {
        if (this.#isClosed) break;
        if (!isPassing(error)) this.fail(error);
        else await this.#context.pauseBeforeRetry(++failures);
      }
    }
    if (this.#isClosed) this.#close();
    else if (this.#missed) this.#read();
  }

  #take(events: readonly StoredEvent[]): void {
    for (const batch of batchesOf(this.log, events)) {
      const previous = this.tail;
      this.tail = batch.last;
      let live = 0;
      for (const reader of this.#readers) {
        if (reader.isLive) reader.push(previous, batch);
        if (reader.isLive) live += 1;
      }
      const allLive = live === this.#readers.size;
      this.#context.observer.count('deliveries', live * batch.events.length);
      if (allLive) this.window.clear(this.tail);
      else this.window.add(batch);
    }
  }

  #read(): void {
    this.#isReading = true;
    void this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    const { budget, pageBytes } = this.#context;
    let failures = 0;
    do {
      this.#missed = false;
      try {
        const more = await budget.run(pageBytes, (charge) => this.#readPage(charge));
        this.#missed ||= more;
        failures = 0;
      } catch (error) {
        if (!isPassing(error)) {
          this.fail(error);
          return;
        }
        this.#missed = true;
        await this.#context.pauseBeforeRetry(++failures);
      }
    } while (this.#missed && !this.#isClosed);
    // In the same step as the last look at what was missed: nothing can come in between.
    this.#isReading = false;
  }

  /** Answers whether there is more to read. */
  async #readPage(charge: Charge): Promise<boolean> {
    if (this.#isClosed) return false;
    const page = await this.#context.log.read(this.log, {
      after: this.tail,
      limit: this.#context.pageEvents,
      maxBytes: this.#context.pageBytes,
    });
    charge(weightOf(page.events));
    if (this.#isClosed) return false;
    if (page.standing.state !== 'whole') {
      this.#startOver(page);
      return false;
    }
    this.#take(page.events);
    if (!page.more) {
      // The last events may have been deleted since.
      this.#moveTail(page.version);
    }
    return page.more;
  }

  /** The tail is not in the log any more: each reader finds out for itself what that means for it. */
  #startOver(page: Page): void {
    this.tail = page.version;
    this.window.clear(page.version);
    for (const reader of this.#readers) reader.readOn();
  }

  #moveTail(version: EventId): void {
    if (!isAfter(version, this.tail)) return;
    this.tail = version;
    this.window.clear(version);
    for (const reader of this.#readers) {
      if (reader.isLive && isAfter(version, reader.cursor)) reader.moveTo(version);
    }
  }

  #close(): void {
    this.#isClosed = true;
    this.#leaving?.abort();
    this.#leaving = undefined;
    this.window.clear(this.tail);
    this.#unfollow?.();
    this.#unfollow = undefined;
  }
}

function isInOrder(previous: EventId, events: readonly StoredEvent[]): boolean {
  let last = previous;
  for (const { id } of events) {
    if (!isAfter(id, last)) return false;
    last = id;
  }
  return events.length > 0;
}
