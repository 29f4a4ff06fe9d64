/**
 * One leased log, from its first event that is not done to its last, or to the end of its turn.
 *
 *   redrives ─► page ─► event ─► handler ─┬─ ok ──────────────────────► cursor, next event
 *                        ▲                ├─ failed, may be tried again ─► the log rests
 *                        └── page over    └─ failed too often ─► dead letter ─► cursor, or on hold
 *
 * A log that was taken over again and again from processes that died is handled with care: each
 * attempt is counted before it begins, so that an event that kills processes becomes a dead letter,
 * too. One event at a time, so that those beside it are not counted.
 */
import { InvalidInput } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import { type EventId, isAfter, predecessorOf } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { RetryPolicy } from '../event/retries.ts';
import { codeOf, textOf } from '../event/thrown.ts';
import type { EventLog, Page } from '../log/log.ts';
import type { Happening } from '../metrics/notice.ts';
import type { Observer } from '../metrics/observer.ts';
import { caused } from '../typed/caused.ts';
import type { LeasedLog, Redrive } from '../work-queues/work-queues.ts';
import type { WorkContext } from './context.ts';
import { settleLetter, writeDeadLetter } from './dead-letters.ts';
import { findEvent, type LossReason } from './find-event.ts';
import { onceBesideClients } from './once.ts';
import type { Places } from './places.ts';
import { type Ending, Progress } from './progress.ts';
import type { Settlements } from './settlements.ts';
import { whileAway } from './while-away.ts';

/** How many events at most are done and not written down: so many may be done twice after a crash. */
const MOST_AHEAD = 16;
/** From so many takeovers on, the next event may be to blame. */
const SUSPICIOUS_TAKEOVERS = 2;
const PAGE = 256;
/** After so many events, or milliseconds, other logs have their turn. */
const TURN_EVENTS = 2_000;
const TURN_TIME = 1_000;

const AGAIN: Ending = { next: 'again' };
const DONE: Ending = { next: 'done' };
const UNFINISHED = 'an attempt did not come to an end: the process ended, or lost the log';

/** What all logs of a worker have in common. */
export interface RunSettings {
  readonly group: string;
  readonly retries: RetryPolicy;
  readonly holds: boolean;
  readonly leaseTime: number;
  /** Where events that processes may die of wait for each other. */
  readonly oneByOne: Places;
  handle(event: StoredEvent, context: WorkContext): unknown;
  readonly observer: Observer;
  notice(happening: Happening): void;
}

export class LogRun {
  readonly leased: LeasedLog;
  readonly progress: Progress;
  readonly #log: Pick<EventLog, 'append' | 'read'>;
  readonly #settings: RunSettings;
  /** No event is begun any more. */
  readonly #ending = new AbortController();
  /** What handlers do does not count any more. */
  readonly #aborting = new AbortController();
  #cursor: EventId;
  #unchecked: boolean;
  #careful: number;

  constructor(
    leased: LeasedLog,
    log: Pick<EventLog, 'append' | 'read'>,
    settlements: Settlements,
    settings: RunSettings,
  ) {
    this.leased = leased;
    this.progress = new Progress(leased, settlements, settings.leaseTime, () => {
      this.abort(new Error(`the lease on ${leased.log} is lost`));
    });
    this.#log = log;
    this.#settings = settings;
    this.#cursor = leased.cursor;
    this.#unchecked = leased.unchecked;
    // Those before it may have handled as many more than the cursor says.
    this.#careful = leased.takeovers >= SUSPICIOUS_TAKEOVERS ? MOST_AHEAD + 1 : 0;
  }

  /** Lets the handler come to the end of its event. */
  stop(): void {
    this.#ending.abort();
  }

  /** Tells the handler to end at once. */
  abort(reason: Error): void {
    this.#ending.abort();
    this.#aborting.abort(reason);
  }

  /** Handles what there is. @returns what is to become of the lease, still to be written down */
  async run(): Promise<Ending> {
    for (const redrive of this.leased.redrives) {
      if (this.#ends || !(await this.#redrive(redrive))) return AGAIN;
    }
    const until = performance.now() + TURN_TIME;
    let count = 0;
    for (;;) {
      if (this.#ends) return AGAIN;
      const page = await this.#page();
      if (page === undefined) return this.#ends ? AGAIN : DONE;
      for (const event of page.events) {
        await this.progress.confirm();
        if (this.#ends) return AGAIN;
        const ending = await this.#step(event);
        if (ending !== undefined) return ending;
        if (this.progress.ahead >= MOST_AHEAD) await this.progress.written();
        count += 1;
      }
      if (!page.more) return DONE;
      if (count >= TURN_EVENTS || performance.now() > until) return AGAIN;
    }
  }

  get #ends(): boolean {
    return this.#ending.signal.aborted;
  }

  #advance(id: EventId): void {
    this.#cursor = id;
    this.#unchecked = false;
    this.progress.advance(id);
  }

  /** The next page; `undefined` if there is none to be had. */
  async #page(): Promise<Page | undefined> {
    const { log } = this.leased;
    const read = (unchecked: boolean) =>
      this.#patiently(() => this.#log.read(log, { after: this.#cursor, unchecked, limit: PAGE }));
    try {
      const page = await read(this.#unchecked);
      if (page === undefined || page.standing.state === 'whole') return page;
      const reason = page.standing.state;
      this.#settings.notice({ what: 'skipped', log, after: this.#cursor, reason });
      if (page.standing.state === 'trimmed') {
        if (page.events.length === 0) this.#advance(page.standing.resumeAfter);
        return page;
      }
      // What was handled is lost, and is not handled twice: whatever comes later is.
      if (isAfter(this.#cursor, page.version)) this.#advance(page.version);
      return await read(true);
    } catch (error) {
      if (codeOf(error) !== 'wrong_type') throw error;
      const reason = 'wrong_type';
      this.#settings.notice({ what: 'skipped', log, after: this.#cursor, reason });
      return undefined;
    }
  }

  /** @returns how the turn ends, or nothing when the event is done and the log can go on */
  async #step(event: StoredEvent): Promise<Ending | undefined> {
    if (this.#careful === 0) {
      const ending = await this.#handle(event);
      if (ending === undefined) this.#advance(event.id);
      return ending;
    }
    const leave = await this.#settings.oneByOne.enter();
    try {
      if (this.#ends) return AGAIN;
      const ending = await this.#handle(event);
      if (ending === undefined) this.#advance(event.id);
      // Known to be done, so that it is not blamed for what comes next.
      await this.progress.written();
      return ending;
    } finally {
      this.#careful -= 1;
      leave();
    }
  }

  async #handle(event: StoredEvent): Promise<Ending | undefined> {
    const { attempts } = this.#settings.retries;
    const { attempt } = this.leased;
    const { id } = event;
    const tried = attempt?.event === id ? attempt.count : 0;
    if (tried >= attempts) return this.#giveUp(event, tried, new Error(UNFINISHED));
    const count = tried + 1;
    if (this.#careful > 0) {
      await this.progress.write({ attempt: { event: id, count } });
      if (this.#ends) return untried(id, tried);
    }
    try {
      await this.#call(event, count, false);
      return undefined;
    } catch (error) {
      // It was told to end, and that is no failure of the event.
      if (this.#aborting.signal.aborted) return untried(id, tried);
      if (count >= attempts) return this.#giveUp(event, count, error);
      const after = this.#settings.retries.delayAfter(count);
      const { log } = this.leased;
      this.#settings.notice({
        ...{ what: 'failed', log, id, type: event.type, attempt: count, error, after },
      });
      return { attempt: { event: id, count }, next: { after } };
    }
  }

  async #giveUp(event: StoredEvent, count: number, error: unknown): Promise<Ending | undefined> {
    const attempt = { event: event.id, count };
    const isWritten = await this.#deadLetter(event, count, error, undefined);
    if (!isWritten) return { attempt, next: 'again' };
    return this.#settings.holds ? { attempt, next: 'hold' } : undefined;
  }

  /** @returns whether the redrive is over */
  async #redrive({ event: id, letter, attempts }: Redrive): Promise<boolean> {
    const { log, attempt } = this.leased;
    await this.progress.write({ redrive: { letter, attempts: attempts + 1 } });
    const event = await this.#patiently(() => findEvent(this.#log, log, id));
    if (event === undefined) return false;
    let isOver: boolean;
    let isHandled = false;
    if (typeof event === 'string') isOver = await this.#skip(letter, id, event);
    else if (attempts >= this.#settings.retries.attempts) {
      isOver = await this.#deadLetter(event, attempts, new Error(UNFINISHED), letter);
    } else {
      try {
        await this.#call(event, attempts + 1, true);
        isHandled = true;
        isOver = await this.#settle('Redriven', letter, { log, id });
      } catch (error) {
        if (this.#aborting.signal.aborted) return false;
        isOver = await this.#deadLetter(event, attempts + 1, error, letter);
      }
    }
    if (!isOver) return false;
    // One that holds the log up is done with this.
    const isNext = isHandled && attempt?.event === id && isAfter(id, this.#cursor);
    if (isNext) this.#advance(id);
    await this.progress.write({ redrive: { letter, attempts: null } });
    return !this.progress.isLost;
  }

  async #call(stored: StoredEvent, attempt: number, redriven: boolean): Promise<void> {
    const { group } = this.#settings;
    const { log } = this.leased;
    const { signal } = this.#aborting;
    const asked = new Set<string>();
    await this.#settings.handle(stored, {
      ...{ group, log, attempt, redriven, signal },
      once: (name) => {
        mustBeNew(name, asked);
        return { producer: onceBesideClients('Work', group, log, stored.id, name) };
      },
    });
  }

  /** @returns false when that was not possible before the end */
  async #deadLetter(
    event: StoredEvent,
    attempts: number,
    cause: unknown,
    after: EventId | undefined,
  ): Promise<boolean> {
    const { group, observer, notice } = this.#settings;
    const { log } = this.leased;
    const { id, type, meta = {} } = event;
    const dead = { log, id, type, attempts, error: textOf(cause), at: Date.now() };
    const written = await this.#patiently(async () => {
      await writeDeadLetter(this.#log, group, dead, caused({ log, id, meta }), after);
      return true;
    });
    if (written === undefined) return false;
    observer.count('dead_letters', 1, group);
    notice({ what: 'dead_letter', log, id, type, attempt: attempts, error: cause });
    return true;
  }

  /** @returns false when that was not possible before the end */
  async #skip(letter: EventId, id: EventId, reason: LossReason): Promise<boolean> {
    const { log } = this.leased;
    if (!(await this.#settle('Skipped', letter, { log, id, reason }))) return false;
    const after = predecessorOf(id);
    this.#settings.notice({ what: 'skipped', log, after, reason, letter });
    return true;
  }

  async #settle(
    type: 'Redriven' | 'Skipped',
    letter: EventId,
    of: { readonly log: LogName; readonly id: EventId; readonly reason?: LossReason },
  ): Promise<boolean> {
    const written = await this.#patiently(async () => {
      await settleLetter(this.#log, this.#settings.group, type, letter, of);
      return true;
    });
    return written === true;
  }

  /** Asks the store again while it is away; `undefined` when it was still away at the end. */
  #patiently<T>(ask: () => Promise<T>): Promise<T | undefined> {
    // Begun during the grace: it has until that is over.
    const { signal } = this.#ends ? this.#aborting : this.#ending;
    return whileAway(ask, signal, (error) => this.#settings.notice({ what: 'store', error }));
  }
}

/** Under a name that was had already, a second append to the same log would be taken for a repeat. */
function mustBeNew(name: string, asked: Set<string>): void {
  if (typeof name !== 'string') throw new InvalidInput('name', 'must be text');
  if (asked.has(name)) {
    throw new InvalidInput(
      'name',
      `was asked for once in this call of the handler (${JSON.stringify(name)}): take another name for another append; to append the same to several logs, keep what once answered`,
    );
  }
  asked.add(name);
}

/** An attempt that was broken off does not count. */
function untried(event: EventId, count: number): Ending {
  return { attempt: { event, count }, next: 'again' };
}
