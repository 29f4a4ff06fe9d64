/**
 * A reader whose sink writes down everything that it is told, complains at once about what no
 * subscription may do, and comes back with its last ID.
 */

import type { MillraceError } from '../../src/event/error.ts';
import {
  cursorBefore,
  type EventId,
  eventIdParts,
  isAfter,
  laterOf,
  makeEventId,
  predecessorOf,
  ZERO_ID,
} from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import type { Start } from '../../src/event/start.ts';
import type { Batch } from '../../src/live/batch.ts';
import type { Live } from '../../src/live/live.ts';
import type { Sink, Subscription } from '../../src/live/sink.ts';
import type { Turns } from '../../src/live/turns.ts';
import type { ReaderHistory, ReaderStep } from '../support/history.ts';
import type { SimulatedLog } from './simulated-log.ts';

/** Where a reader starts when it comes for the first time. */
export type FirstStart = 'beginning' | 'now' | 'since' | 'since later' | 'last';

/** An ID that no event of a run has. */
const BEFORE_ALL = makeEventId(1, 1);

export class ModelReader {
  readonly steps: ReaderStep[] = [];
  readonly complaints: string[] = [];
  readonly turns: Turns | undefined;
  readonly #name: string;
  readonly #log: SimulatedLog;
  #connection: Connection | undefined;
  #cursor: EventId = ZERO_ID;
  #beganInTime = false;
  /** It refuses more after each of that many batches. */
  #refusals = 0;

  /** @param turns in which it reads, together with others */
  constructor(name: string, log: SimulatedLog, turns: Turns | undefined) {
    this.#name = name;
    this.#log = log;
    this.turns = turns;
  }

  get history(): ReaderHistory {
    return { reader: this.#name, steps: this.steps };
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** Told that it is live, and nothing since that would have started another replay. */
  get live(): boolean {
    return this.#connection?.isLive === true;
  }

  connect(live: Live, log: LogName, first: FirstStart): void {
    if (this.#connection !== undefined) return;
    const start = this.#start(first);
    const connection = new Connection(this, start);
    this.#connection = connection;
    connection.open(live, log);
  }

  disconnect(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  refuse(times: number): void {
    this.#refusals = times;
  }

  /** Something else has filled what it writes to. */
  fill(): void {
    this.#connection?.fill();
  }

  drain(): void {
    this.#connection?.drain();
  }

  /** Takes everything from now on. */
  open(): void {
    this.#refusals = 0;
    this.resume();
    this.drain();
  }

  complain(text: string): void {
    this.complaints.push(`${this.#name}: ${text}`);
  }

  // What its connections hear.

  began(after: EventId): void {
    this.steps.push({ step: 'connected', after });
    this.#cursor = after;
  }

  /** A place in time became a place in the log; what was trimmed by then nobody owes it. */
  beganSince(time: number, reached: EventId): void {
    this.#beganInTime = true;
    const { trimmedThrough } = this.#log;
    const gone = isAfter(trimmedThrough, reached) ? reached : trimmedThrough;
    const moment = cursorBefore(time);
    // Before the log has come to that moment, the place that it has come to stands for it.
    this.began(laterOf(gone, isAfter(moment, reached) ? reached : moment));
  }

  events(batch: Batch): boolean {
    if (batch.events.length === 0) this.complain('an empty batch came');
    for (const { id, data } of batch.events) {
      this.steps.push({ step: 'event', id, tag: String(data) });
      this.#cursor = id;
    }
    if (this.#refusals === 0) return true;
    this.#refusals -= 1;
    return false;
  }

  wentLive(at: EventId): void {
    if (isAfter(this.#cursor, at)) this.complain(`live at ${at}, but is at ${this.#cursor}`);
    const { kept, highest } = this.#log;
    if (isAfter(at, highest)) this.complain(`live at ${at}, which the log never gave out`);
    const missed = kept.find(({ id }) => isAfter(id, this.#cursor) && !isAfter(id, at));
    if (missed !== undefined) this.complain(`live at ${at} without ${missed.id}`);
  }

  trimmed(resumeAfter: EventId): void {
    this.steps.push({ step: 'trimmed', resumeAfter });
    if (isAfter(resumeAfter, this.#log.trimmedThrough)) {
      this.complain(`told trimmed to ${resumeAfter} too early`);
    }
    this.#cursor = resumeAfter;
  }

  reset(version: EventId): void {
    const [start, ...others] = this.steps;
    // One that began at a moment and has no event yet may be told of any loss since then.
    if (this.#beganInTime && start !== undefined && others.length === 0) {
      this.steps[0] = { step: 'connected', after: BEFORE_ALL };
    }
    this.steps.push({ step: 'reset', version });
    this.#cursor = ZERO_ID;
  }

  #start(first: FirstStart): Start {
    if (this.steps.length > 0 || first === 'beginning') return { after: this.#cursor };
    if (first === 'now') return 'now';
    if (first === 'last') return { last: 2 };
    // In the middle of the log, or after all that it has.
    const { kept } = this.#log;
    const time = kept[Math.floor(kept.length / 2)]?.id ?? this.#log.version;
    const { milliseconds } = eventIdParts(first === 'since' ? time : this.#log.version);
    return { since: Number(milliseconds) + (first === 'since' ? 0 : 1) };
  }
}

/** One subscription of a reader, from its start to its end. */
class Connection implements Sink {
  readonly turns: Turns | undefined;
  readonly #reader: ModelReader;
  readonly #start: Start;
  /** Whether it is known which event it starts after. */
  #begun = false;
  #live = false;
  #subscription: Subscription | undefined;
  #paused = false;
  #full = false;
  #closed = false;

  constructor(reader: ModelReader, start: Start) {
    this.turns = reader.turns;
    this.#reader = reader;
    this.#start = start;
  }

  get isLive(): boolean {
    return this.#live;
  }

  open(live: Live, log: LogName): void {
    if (this.#start !== 'now' && 'after' in this.#start) this.#begin(this.#start.after);
    this.#subscription = live.subscribe(log, this.#start, this);
  }

  close(): void {
    this.#subscription?.close();
    this.#closed = true;
    // Closing twice does no harm.
    this.#subscription?.close();
  }

  pause(): void {
    this.#paused = true;
    this.#subscription?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#subscription?.resume();
  }

  fill(): void {
    this.#full = true;
  }

  drain(): void {
    this.#full = false;
    this.#subscription?.drained();
  }

  ready(): boolean {
    this.#heard('ready');
    return !this.#full;
  }

  batch(batch: Batch): void {
    this.#heard('batch');
    if (this.#paused) this.#reader.complain('got a batch while paused');
    if (this.#full) this.#reader.complain('got a batch while full');
    // What `now` was is the subscription's to say: with this event at the latest.
    if (!this.#begun) this.#beginAt(predecessorOf(batch.events[0]!.id), this.#start);
    if (!this.#reader.events(batch)) this.#full = true;
  }

  live(at: EventId): void {
    this.#heard('live');
    if (!this.#begun) this.#beginAt(at, this.#start);
    if (this.#live) this.#reader.complain('told twice that it is live');
    this.#live = true;
    this.#reader.wentLive(at);
  }

  trimmed(resumeAfter: EventId): void {
    this.#heard('trimmed');
    if (!this.#begun) this.#reader.complain('told trimmed, but its start names no event');
    this.#live = false;
    this.#reader.trimmed(resumeAfter);
  }

  reset(version: EventId): void {
    this.#heard('reset');
    if (!this.#begun) this.#reader.complain('told reset, but its start names no event');
    this.#live = false;
    this.#reader.reset(version);
  }

  failed(error: MillraceError): void {
    this.#heard('failed');
    this.#reader.complain(`failed: ${error.message}`);
  }

  #heard(what: string): void {
    if (this.#subscription === undefined)
      this.#reader.complain(`${what} before subscribe returned`);
    if (this.#closed) this.#reader.complain(`${what} after close`);
  }

  /** The first thing that it hears is that it has reached `at`: now it is known where it began. */
  #beginAt(at: EventId, start: Start): void {
    if (start === 'now' || 'last' in start) this.#begin(at);
    else if ('since' in start) {
      this.#begun = true;
      this.#reader.beganSince(start.since, at);
    }
  }

  #begin(after: EventId): void {
    this.#begun = true;
    this.#reader.began(after);
  }
}
