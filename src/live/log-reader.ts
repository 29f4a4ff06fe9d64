/**
 * One reader of one log. It holds a cursor and no events: what it does not take now stays in the
 * log, and is read from there when it is ready.
 *
 *              ┌──────────── full, paused, or something is odd ───────────┐
 *              ▼                                                          │
 *   start ─► reading ── page by page, checked ──► caught up ──────────► live ──► close
 *              │ ▲                                                        ▲
 *              └─┘ trimmed / reset: tell the sink, go on                  │ events pushed by the follower
 */
import type { MillraceError } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import { cursorBefore, type EventId, isAfter, laterOf, ZERO_ID } from '../event/event-id.ts';
import type { Start } from '../event/start.ts';
import type { Page } from '../log/log.ts';
import { Batch, batchesOf } from './batch.ts';
import type { FollowedLog } from './followed-log.ts';
import { asMillraceError, isPassing, type LiveContext } from './live-context.ts';
import type { Charge } from './read-budget.ts';
import type { Sink, Subscription } from './sink.ts';
import { weightOf } from './weight.ts';

export class LogReader implements Subscription {
  readonly #follower: FollowedLog<LogReader>;
  readonly #context: LiveContext;
  readonly #sink: Sink;
  /** Until it has become a place in the log. */
  #start: Start | undefined;
  #cursor: EventId;
  /** A start in time that the log has not come to yet: events up to here are not wanted. */
  #notBefore: EventId | undefined;
  /** Where the last page ended that was behind the follower. */
  #reached: EventId | undefined;
  #state: 'reading' | 'live' | 'closed' = 'reading';
  #isRunning = false;
  #isPaused = false;
  #isFull = false;
  #toldLive = false;
  /** How often the follower had been woken when the last read began. */
  #wakesAtRead = 0;

  constructor(follower: FollowedLog<LogReader>, context: LiveContext, start: Start, sink: Sink) {
    this.#follower = follower;
    this.#context = context;
    this.#sink = sink;
    this.#start = start;
    this.#cursor = firstCursor(start);
  }

  get cursor(): EventId {
    return this.#cursor;
  }

  get isLive(): boolean {
    return this.#state === 'live';
  }

  pause(): void {
    this.#isPaused = true;
    this.fallBehind();
  }

  resume(): void {
    this.#isPaused = false;
    this.#run();
  }

  drained(): void {
    this.#isFull = false;
    this.#run();
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#follower.leave(this);
  }

  /** Begins, or goes on, to read; for the follower, when there is something that this reader must look at itself. */
  readOn(): void {
    this.fallBehind();
    this.#run();
  }

  /** Takes this reader off the live tail. */
  fallBehind(): void {
    if (this.#state === 'live') this.#state = 'reading';
  }

  /** There is nothing between the cursor and `version`, which the log has given out. Only while live. */
  moveTo(version: EventId): void {
    this.#cursor = version;
  }

  /** The next events of the log, which was at `previous` before them. Only while live. */
  push(previous: EventId, batch: Batch): void {
    if (this.#cursor === previous) {
      this.#offer(batch);
      return;
    }
    // This reader had read further than the follower knew.
    const seen = batch.events.findIndex(({ id }) => id === this.#cursor);
    if (seen >= 0) {
      const news = batch.events.slice(seen + 1);
      if (news.length > 0) this.#offer(new Batch(batch.log, news));
    } else if (isAfter(batch.last, this.#cursor)) {
      // The log has an event after the cursor and none at it: has the store lost its tail?
      this.readOn();
    }
  }

  /** Ends with an error that the sink is told. */
  fail(error: MillraceError): void {
    if (this.#state === 'closed') return;
    this.close();
    this.#sink.failed(error);
  }

  #run(): void {
    if (this.#isRunning || !this.#wantsToRead()) return;
    this.#isRunning = true;
    void this.#catchUp().finally(() => {
      this.#isRunning = false;
      // What happened between the last look and here must not be slept through.
      if (this.#wantsToRead()) this.#run();
    });
  }

  #wantsToRead(): boolean {
    return this.#state === 'reading' && !this.#isPaused && !this.#isFull;
  }

  /** Asks the sink too: another subscription may have filled it meanwhile. */
  #mayDeliver(): boolean {
    if (!this.#wantsToRead()) return false;
    this.#isFull = !this.#sink.ready();
    return !this.#isFull;
  }

  async #catchUp(): Promise<void> {
    await this.#follower.started;
    let failures = 0;
    while (this.#mayDeliver()) {
      if (this.#start === undefined && this.#joinFromWindow()) continue;
      try {
        const { turns } = this.#sink;
        await (turns === undefined ? this.#readInBudget() : turns.take(() => this.#readInBudget()));
        failures = 0;
      } catch (error) {
        if (!isPassing(error)) {
          this.fail(asMillraceError(error));
          return;
        }
        await this.#context.pauseBeforeRetry(++failures);
      }
    }
  }

  /** Goes on with what the follower still has; answers whether there was anything to do that way. */
  #joinFromWindow(): boolean {
    const { window, tail } = this.#follower;
    if (!window.covers(this.#cursor)) return false;
    if (this.#cursor === tail) {
      this.#goLive();
      return true;
    }
    const batch = window.after(this.#cursor);
    if (batch === undefined) return false;
    this.#deliver(batch);
    return true;
  }

  async #readInBudget(): Promise<void> {
    // Waiting for its turn took time, and so does waiting for the budget.
    if (!this.#mayDeliver()) return;
    await this.#context.budget.run(this.#context.pageBytes, (charge) => this.#readPage(charge));
  }

  async #readPage(charge: Charge): Promise<void> {
    if (!this.#mayDeliver()) return;
    const start = this.#start;
    this.#wakesAtRead = this.#follower.wakes;
    const page = await this.#context.log.read(this.#follower.log, {
      after: await this.#placeOf(start),
      limit: start === 'now' ? 0 : this.#context.pageEvents,
      maxBytes: this.#context.pageBytes,
      unchecked: start !== undefined && !isCheckedStart(start),
    });
    charge(weightOf(page.events));
    this.#context.observer.count('catch_up_reads', 1);
    // What cannot be delivered now is not kept: it will be read again.
    if (!this.#mayDeliver()) return;
    if (start === 'now') this.#reach(page.version);
    else this.#takePage(page);
  }

  /** Where to read on. What `last` comes to holds for this read alone: the cursor must be an event. */
  async #placeOf(start: Start | undefined): Promise<EventId> {
    if (start === undefined || start === 'now' || !('last' in start)) return this.#cursor;
    return this.#context.log.before(this.#follower.log, start.last);
  }

  #takePage({ standing, events, more, version }: Page): void {
    if (this.#start !== undefined && isCheckedStart(this.#start)) this.#start = undefined;
    if (standing.state === 'trimmed') {
      this.#toldLive = false;
      this.#cursor = laterOf(standing.resumeAfter, this.#cursor);
      this.#sink.trimmed(standing.resumeAfter);
    } else if (standing.state === 'reset') {
      this.#toldLive = false;
      this.#cursor = ZERO_ID;
      this.#notBefore = undefined;
      this.#sink.reset(standing.version);
    }
    if (this.#deliverAll(events) && !more) this.#reach(version);
  }

  /** All of the log up to `version` has been seen, whether or not an event is still there. */
  #reach(version: EventId): void {
    if (isAfter(this.#follower.tail, version)) {
      this.#catchUpWithFollower(version);
      return;
    }
    // A page from before the wake-up may show what was lost since; only the follower was checked.
    if (this.#follower.wakes !== this.#wakesAtRead && version !== this.#follower.tail) return;
    // A time later than all events names none: from here on the cursor must, because it is checked.
    if (isAfter(this.#cursor, version)) this.#notBefore = this.#cursor;
    this.#cursor = version;
    this.#start = undefined;
    this.#goLive();
  }

  /**
   * The follower is further than the page was. Most often that is because something came since,
   * and the window has it; but a log that stays there has lost what the follower knows.
   */
  #catchUpWithFollower(version: EventId): void {
    const { window } = this.#follower;
    if (!isAfter(this.#cursor, version) && window.after(version) !== undefined) {
      this.#cursor = version;
      this.#start = undefined;
    } else if (this.#reached === version) {
      this.#follower.wake();
    }
    this.#reached = version;
  }

  #deliverAll(events: readonly StoredEvent[]): boolean {
    for (const batch of batchesOf(this.#follower.log, events)) {
      if (!this.#mayDeliver()) return false;
      this.#deliver(batch);
    }
    return this.#wantsToRead();
  }

  /** Delivers while live, or falls behind. */
  #offer(batch: Batch): void {
    if (this.#sink.ready()) {
      this.#deliver(batch);
      return;
    }
    this.#isFull = true;
    this.#context.observer.count('slow_readers', 1);
    this.fallBehind();
  }

  #deliver(batch: Batch): void {
    this.#cursor = batch.last;
    this.#start = undefined;
    const wanted = this.#notBefore === undefined ? batch : this.#withoutEarlier(batch);
    if (wanted !== undefined) this.#sink.batch(wanted);
  }

  #withoutEarlier(batch: Batch): Batch | undefined {
    const events = batch.events.filter(({ id }) => isAfter(id, this.#notBefore!));
    if (events.length === 0) return undefined;
    this.#notBefore = undefined;
    return new Batch(batch.log, events);
  }

  #goLive(): void {
    if (this.#state !== 'reading') return;
    this.#state = 'live';
    if (this.#toldLive) return;
    this.#toldLive = true;
    this.#sink.live(this.#cursor);
  }
}

function firstCursor(start: Start): EventId {
  if (start === 'now' || 'last' in start) return ZERO_ID;
  return 'after' in start ? start.after : cursorBefore(start.since);
}

function isCheckedStart(start: Start): boolean {
  return start !== 'now' && 'after' in start;
}
