/**
 * What the appends and trims of one batch have changed, on top of what is on the disk. Read and
 * changed piece by piece while the batch is decided; written once at its end, so that a log that
 * gets a hundred appends in a batch has its head written once.
 */
import type { EventId } from '../../../event/event-id.ts';
import { ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { ProducerState } from '../../../log/producer-state.ts';
import type { Observer } from '../../../metrics/observer.ts';
import type { Stage, WriteBatch } from '../group-commit.ts';
import {
  COUNTERS_KEY,
  type Counters,
  type Databases,
  type FeedEntry,
  type LogHead,
  type ProducerKey,
  writeCounters,
  writeFeedEntry,
  writeHead,
  writeProducer,
  writeTrim,
} from '../layout.ts';
import type { OrderedMap } from '../ordered-map.ts';
import type { ProducerSweep } from './producer-sweep.ts';

/** What stages of one event log share: the databases, and what each batch hands to the next. */
export interface LogState {
  readonly databases: Databases;
  readonly sweep: ProducerSweep;
  /** As on the disk. */
  counters: Counters;
  /** Called when the feed has grown: on the disk, so that nobody is woken for what may be lost. */
  readonly onFeed: () => void;
  readonly observer: Observer;
}

export const NO_LOG: LogHead = { number: 0, version: ZERO_ID, trimmed: ZERO_ID };

interface StagedProducer {
  readonly key: ProducerKey;
  readonly state: ProducerState;
}

export class LogStage implements Stage {
  readonly #state: LogState;
  readonly #now: number;
  readonly #since = performance.now();
  readonly #heads = new Map<LogName, LogHead>();
  readonly #changed = new Set<LogName>();
  readonly #producers = new Map<string, StagedProducer>();
  readonly #feed: FeedEntry[] = [];
  #lastLog: number;

  constructor(state: LogState, now: number) {
    this.#state = state;
    this.#now = now;
    this.#lastLog = state.counters.lastLog;
  }

  /** The log as the work before left it; {@link NO_LOG} if it never had an event. */
  head(log: LogName): LogHead {
    let head = this.#heads.get(log);
    if (head === undefined) {
      head = this.#state.databases.logs.get(log) ?? NO_LOG;
      this.#heads.set(log, head);
    }
    return head;
  }

  /** The number under which a log's events are kept; a new one for a new log. */
  numberOf(log: LogName): number {
    const { number } = this.head(log);
    return number === 0 ? ++this.#lastLog : number;
  }

  changeHead(log: LogName, head: LogHead): void {
    this.#heads.set(log, head);
    this.#changed.add(log);
  }

  producer(log: LogName, id: string): ProducerState | undefined {
    const { number } = this.head(log);
    if (number === 0) return undefined;
    const staged = this.#producers.get(`${number} ${id}`);
    return staged?.state ?? this.#state.databases.producers.get([number, id]);
  }

  changeProducer(number: number, id: string, state: ProducerState): void {
    this.#producers.set(`${number} ${id}`, { key: [number, id], state });
  }

  index(entry: FeedEntry): void {
    this.#feed.push(entry);
  }

  addTrim(batch: WriteBatch, log: LogName, number: number, through: EventId): void {
    batch.put(this.#state.databases.trims, log, writeTrim({ log: number, through }));
  }

  flush(batch: WriteBatch): void {
    const { logs, producers, feed, counters } = this.#state.databases;
    for (const log of this.#changed) batch.put(logs, log, writeHead(this.#heads.get(log)!));
    for (const { key, state } of this.#producers.values()) {
      batch.put(producers, key, writeProducer(state));
    }
    if (this.#producers.size > 0) this.#sweepProducers(batch, producers);
    if (this.#feed.length === 0) return;
    let position = this.#state.counters.lastFeed;
    for (const entry of this.#feed) batch.put(feed, ++position, writeFeedEntry(entry));
    batch.put(
      counters,
      COUNTERS_KEY,
      writeCounters({ lastLog: this.#lastLog, lastFeed: position }),
    );
  }

  settle(): void {
    const { lastFeed } = this.#state.counters;
    this.#state.counters = { lastLog: this.#lastLog, lastFeed: lastFeed + this.#feed.length };
    if (this.#feed.length === 0) return;
    this.#state.observer.time('append_batch', performance.now() - this.#since);
    this.#state.onFeed();
  }

  #sweepProducers(batch: WriteBatch, producers: OrderedMap<ProducerKey, ProducerState>): void {
    const idle = this.#state.sweep.step(this.#producers.size, this.#now);
    for (const key of idle) {
      if (!this.#producers.has(`${key[0]} ${key[1]}`)) batch.remove(producers, key);
    }
  }
}
