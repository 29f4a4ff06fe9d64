/**
 * The readable reference: the contract in memory, without any I/O. For tests of applications and
 * as the model that the durable stores are measured against. It forgets everything with the process.
 */
import type { Appended } from '../../../event/appended.ts';
import {
  DEFAULT_EVENT_LIMITS,
  type EventLimits,
  encodeEvents,
  type NewEvent,
  storedEvent,
} from '../../../event/event.ts';
import { type EventId, ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { Producer } from '../../../event/producer.ts';
import {
  Closed,
  LogFull,
  ProducerFenced,
  ProducerGap,
  VersionConflict,
} from '../../../event/store-errors.ts';
import type { Feed, FeedCursor, FeedOptions, FeedPage, Stretch } from '../../../feed/feed.ts';
import { allocateIds } from '../../../log/allocate.ts';
import { closeAfterDependents } from '../../../log/dependents.ts';
import { Followers } from '../../../log/followers.ts';
import type { AppendOptions, EventLog, Follower, Page, ReadOptions } from '../../../log/log.ts';
import {
  checkAppendOptions,
  checkCount,
  checkEventId,
  DEFAULT_PRODUCER_IDLE,
  parseReadOptions,
} from '../../../log/options.ts';
import { judge, type ProducerState, stateAfter } from '../../../log/producer-state.ts';
import { readPage } from '../../../log/read-page.ts';
import type { StoreDescription } from '../../../log/store-description.ts';
import { MemoryFeed } from '../feed/memory-feed.ts';
import { copyContents, emptyContents, type MemorySnapshot, withOwnBytes } from './contents.ts';
import { MemoryKeptLogs } from './kept-logs.ts';

export interface MemoryLogOptions {
  /** The time in milliseconds since 1970; IDs are made from it. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** What an append may hold; what is left out keeps its default. Sizes in bytes. */
  readonly limits?: Partial<EventLimits> | undefined;
  /** How long an idle producer is remembered, in milliseconds. Default 7 days. */
  readonly producerIdle?: number | undefined;
}

/** An {@link EventLog} that lives and dies with this process. */
export class MemoryLog implements EventLog {
  /** @internal */
  readonly kept = new MemoryKeptLogs(() => this.#mustBeOpen());
  readonly #clock: () => number;
  readonly #limits: EventLimits;
  readonly #producerIdle: number;
  readonly #followers = new Followers();
  readonly #feed: MemoryFeed;
  #entries: Stretch[] = [];
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(options: MemoryLogOptions = {}) {
    this.#clock = options.clock ?? Date.now;
    this.#limits = { ...DEFAULT_EVENT_LIMITS, ...options.limits };
    this.#producerIdle = options.producerIdle ?? DEFAULT_PRODUCER_IDLE;
    this.#feed = new MemoryFeed(() => {
      this.#mustBeOpen();
      return { feed: this.#entries, logs: this.kept.contents };
    });
  }

  async append(
    log: LogName,
    events: readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<Appended> {
    this.#mustBeOpen();
    const encoded = encodeEvents(events, this.#limits);
    const { expected, producer } = checkAppendOptions(options);
    const now = this.#clock();
    const known = this.kept.contents.get(log);
    const previous = known?.version ?? ZERO_ID;

    if (producer !== undefined) {
      const ids = this.#repeated(known?.producers.get(producer.id), producer, now);
      if (ids !== undefined) return { ids, version: previous, duplicate: true };
    }
    if (expected !== undefined && expected !== previous) {
      throw new VersionConflict(log, expected, previous);
    }
    const ids = allocateIds(previous, now, encoded.length);
    if (ids === undefined) throw new LogFull(log);

    // From here on nothing can be refused.
    const contents = known ?? emptyContents();
    this.kept.contents.set(log, contents);
    const added = encoded.map((event, index) => storedEvent(ids[index]!, withOwnBytes(event)));
    for (const event of added) contents.events.push(event);
    contents.version = ids[ids.length - 1]!;
    if (producer !== undefined) {
      const range = { first: ids[0]!, count: ids.length };
      const state = stateAfter(contents.producers.get(producer.id), producer, range, now);
      contents.producers.set(producer.id, state);
    }
    this.#entries.push({ log, first: ids[0]!, last: contents.version });
    this.#followers.tell(log, previous, () => added);
    this.#feed.followers.wake();
    return { ids, version: contents.version, duplicate: false };
  }

  async read(log: LogName, options?: ReadOptions): Promise<Page> {
    this.#mustBeOpen();
    return readPage(this.kept, log, parseReadOptions(options));
  }

  async before(log: LogName, count: number): Promise<EventId> {
    return this.kept.before(log, checkCount(count));
  }

  async follow(log: LogName, follower: Follower): Promise<() => void> {
    this.#mustBeOpen();
    return this.#followers.add(log, follower);
  }

  async trim(log: LogName, through: EventId): Promise<void> {
    this.#mustBeOpen();
    checkEventId(through, 'through');
    await this.kept.trim(log, through);
  }

  /** The feed of this store by itself; the next three are the same by way of the log. */
  asFeed(): Feed {
    return this.#feed;
  }

  feed(options?: FeedOptions): Promise<FeedPage> {
    return this.#feed.page(options);
  }

  followFeed(wake: () => void): Promise<() => void> {
    return this.#feed.follow(wake);
  }

  feedEnd(): Promise<FeedCursor> {
    return this.#feed.end();
  }

  async describe(): Promise<StoreDescription> {
    return {
      store: 'in memory',
      durability: 'an acknowledged event lives as long as the process',
      warnings: ['nothing is kept: this store is for tests'],
    };
  }

  close(): Promise<void> {
    this.#closing ??= closeAfterDependents(this, () => this.#close());
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#followers.end();
    this.#feed.followers.wake();
    this.#feed.followers.clear();
  }

  /** A copy of all that it holds, as a backup would have it; also after it was closed. */
  snapshot(): MemorySnapshot {
    return { logs: copyContents(this.kept.contents), feed: [...this.#entries] };
  }

  /**
   * Puts back what a snapshot holds, as restoring a store from a backup does: whatever came later
   * is lost. Followers are woken.
   */
  restore(snapshot: MemorySnapshot): void {
    this.kept.contents = copyContents(snapshot.logs);
    this.#entries = [...snapshot.feed];
    this.#followers.wakeAll();
    this.#feed.followers.wake();
  }

  /** The IDs of the producer's append if the log has it already; `undefined` if it is the next one. */
  #repeated(
    state: ProducerState | undefined,
    producer: Producer,
    now: number,
  ): readonly EventId[] | undefined {
    const verdict = judge(state, producer, now, this.#producerIdle);
    switch (verdict.is) {
      case 'next':
        return undefined;
      case 'duplicate':
        return verdict.ids;
      case 'gap':
        throw new ProducerGap(producer.id, producer.seq, verdict.expectedSeq);
      case 'fenced':
        throw new ProducerFenced(producer.id, producer.epoch, verdict.currentEpoch);
    }
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Closed();
  }
}
