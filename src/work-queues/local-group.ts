/**
 * A group whose consumers are all in this process, as in the memory store and the embedded one:
 * leases and the order of the queue are kept here, progress is kept by a {@link GroupKeeper}.
 */
import { type EventId, isAfter, predecessorOf, ZERO_ID } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { FeedCursor } from '../feed/feed.ts';
import type { FeedIndex } from '../feed/feed-index.ts';
import { type KeptLog, keptAfter } from './kept-log.ts';
import { newsOf } from './news.ts';
import type { JoinRequest } from './rules.ts';
import type { LeasedLog, Letter, Settlement } from './work-queues.ts';

/** Where progress is kept. */
export interface GroupKeeper {
  read(log: LogName): KeptLog | undefined;
  /** Resolves once it is durable. */
  write(changes: readonly (readonly [LogName, KeptLog])[]): Promise<void>;
}

interface Entry {
  told: EventId;
  state: 'queued' | 'leased' | 'delayed' | 'held';
  /** Valid while leased. */
  lease: string;
  consumer: object | undefined;
  until: number;
  /** How often it was taken over since somebody gave it up. */
  takeovers: number;
}

/** How many entries of the feed are looked at in one turn. */
const LOOK_STEP = 1_000;

const NOTHING_KEPT: KeptLog = {};

export class LocalGroup {
  readonly category: string;
  readonly #fromNow: boolean;
  readonly #keeper: GroupKeeper;
  readonly #feed: FeedIndex;
  #at: FeedCursor;
  readonly #clock: () => number;
  readonly #entries = new Map<LogName, Entry>();
  /** In the order in which they are handed out. */
  readonly #queue = new Set<LogName>();
  readonly #delayed = new Map<LogName, number>();
  readonly #leased = new Set<LogName>();
  /** What was written last, while it may not be in the keeper yet. */
  readonly #writing = new Map<LogName, KeptLog>();
  readonly #waiting = new Set<() => void>();
  #looking: Promise<boolean> | undefined;
  #lastLease = 0;

  /** @param at up to where the feed was looked at */
  constructor(
    { category, from }: Pick<JoinRequest, 'category' | 'from'>,
    keeper: GroupKeeper,
    feed: FeedIndex,
    at: FeedCursor,
    clock: () => number,
  ) {
    this.category = category;
    this.#fromNow = from === 'now';
    this.#keeper = keeper;
    this.#feed = feed;
    this.#at = at;
    this.#clock = clock;
  }

  /** Notes what a log has, as the store is opened. @param takeovers how many processes in a row have died */
  restore(log: LogName, version: EventId, takeovers: number): void {
    const kept = this.#kept(log);
    const hasMore = isAfter(version, kept.cursor ?? ZERO_ID) || kept.unchecked === true;
    if (!hasMore && !kept.redrives?.length) return;
    this.#note(log, version, kept).takeovers = takeovers;
  }

  look(): Promise<boolean> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  take(consumer: object, limit: number, leaseTime: number): LeasedLog[] {
    this.#expire();
    const taken: LeasedLog[] = [];
    for (const log of this.#queue) {
      if (taken.length >= limit) break;
      this.#queue.delete(log);
      const entry = this.#entries.get(log)!;
      const { cursor = ZERO_ID, unchecked = false, attempt, redrives = [] } = this.#kept(log);
      const lease = String(++this.#lastLease);
      const { takeovers, told } = entry;
      this.#change(log, entry, 'leased');
      Object.assign(entry, { lease, consumer, until: this.#clock() + leaseTime });
      taken.push({ log, lease, cursor, unchecked, told, attempt, redrives, takeovers });
    }
    return taken;
  }

  /** Resolves when there may be something to take. */
  wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted || this.#queue.size > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.#waiting.add(end);
      signal?.addEventListener('abort', end);
    });
  }

  async settle(
    consumer: object,
    settlements: readonly Settlement[],
    leaseTime: number,
  ): Promise<boolean[]> {
    const changes: [LogName, KeptLog][] = [];
    const answers = settlements.map((settlement) => {
      const { leased, next } = settlement;
      const entry = this.#entries.get(leased.log);
      if (entry?.state !== 'leased' || entry.consumer !== consumer) return false;
      if (entry.lease !== leased.lease) return false;
      const before = this.#kept(leased.log);
      const due = typeof next === 'object' ? this.#clock() + next.after : undefined;
      const after = keptAfter(before, settlement, due);
      if (after !== before) {
        this.#writing.set(leased.log, after);
        changes.push([leased.log, after]);
      }
      if (next === 'keep') entry.until = this.#clock() + leaseTime;
      else this.#end(entry, settlement, after);
      return true;
    });
    await this.#write(changes);
    return answers;
  }

  async lag(): Promise<number> {
    const { behind } = await this.#feed.read(this.#at, 1, this.category);
    return this.#queue.size + this.#leased.size + this.#delayed.size + behind;
  }

  /** Gives everything up that a consumer has, except `still`. */
  leave(consumer: object, still: readonly LeasedLog[]): void {
    const kept = new Set(still.map(({ lease }) => lease));
    for (const log of this.#leased) {
      const entry = this.#entries.get(log)!;
      if (entry.consumer === consumer && !kept.has(entry.lease)) this.#change(log, entry, 'queued');
    }
  }

  async redrive({ log, event, letter }: Letter): Promise<void> {
    const kept = this.#kept(log);
    const { redrives = [] } = kept;
    const isKnown = redrives.some((redrive) => redrive.letter === letter);
    const after: KeptLog = {
      ...kept,
      held: undefined,
      redrives: isKnown ? redrives : [...redrives, { event, letter, attempts: 0 }],
    };
    this.#writing.set(log, after);
    const entry = this.#entries.get(log);
    if (entry === undefined) this.#note(log, kept.cursor ?? ZERO_ID, after);
    else if (entry.state === 'held') this.#change(log, entry, 'queued');
    await this.#write([[log, after]]);
  }

  async discard({ log, event, letter }: Letter): Promise<void> {
    const kept = this.#kept(log);
    const redrives = kept.redrives?.filter((redrive) => redrive.letter !== letter);
    const entry = this.#entries.get(log);
    // Only an event that still stands in the way has an attempt; who works on it now settles it.
    const endsHold = kept.attempt?.event === event && entry?.state !== 'leased';
    const after: KeptLog = endsHold
      ? { ...kept, redrives, held: undefined, attempt: undefined, cursor: event }
      : { ...kept, redrives };
    this.#writing.set(log, after);
    if (endsHold && entry?.state === 'held') this.#change(log, entry, 'queued');
    await this.#write([[log, after]]);
  }

  async #look(): Promise<boolean> {
    this.#expire();
    const now = this.#clock();
    for (const [log, due] of this.#delayed) {
      if (due <= now) this.#change(log, this.#entries.get(log)!, 'queued');
    }
    // The feed of a store that one process has to itself is whole.
    const { stretches, next, more } = await this.#feed.read(this.#at, LOOK_STEP, this.category);
    const firstTold: [LogName, KeptLog][] = [];
    for (const { log, first, last } of newsOf(stretches, this.category)) {
      let kept = this.#kept(log);
      if (this.#fromNow && kept.cursor === undefined) {
        kept = { ...kept, cursor: predecessorOf(first), unchecked: true };
        this.#writing.set(log, kept);
        firstTold.push([log, kept]);
      }
      // Who has the lease may have read further than the feed has told.
      if (isAfter(last, kept.cursor ?? ZERO_ID)) this.#note(log, last, kept);
    }
    await this.#write(firstTold);
    this.#at = next;
    return more;
  }

  #note(log: LogName, told: EventId, kept: KeptLog): Entry {
    const known = this.#entries.get(log);
    if (known !== undefined) {
      if (isAfter(told, known.told)) known.told = told;
      return known;
    }
    const entry: Entry = {
      ...{ told, state: 'queued', lease: '', consumer: undefined, until: 0, takeovers: 0 },
    };
    this.#entries.set(log, entry);
    if (kept.held && !kept.redrives?.length) this.#change(log, entry, 'held');
    else if (kept.due !== undefined) this.#change(log, entry, 'delayed', kept.due);
    else this.#change(log, entry, 'queued');
    return entry;
  }

  #end(entry: Entry, { leased, next }: Settlement, kept: KeptLog): void {
    const { log, told: seen } = leased;
    const { cursor = ZERO_ID, redrives = [] } = kept;
    if (next === 'hold' && redrives.length === 0) this.#change(log, entry, 'held');
    else if (typeof next === 'object') this.#change(log, entry, 'delayed', kept.due!);
    else if (next !== 'done' || redrives.length > 0) this.#change(log, entry, 'queued');
    // What was told before it was leased has been read since, or is not there.
    else if (isAfter(entry.told, cursor) && entry.told !== seen) this.#change(log, entry, 'queued');
    else {
      this.#leased.delete(log);
      this.#entries.delete(log);
    }
  }

  #change(log: LogName, entry: Entry, state: Entry['state'], due = 0): void {
    this.#queue.delete(log);
    this.#delayed.delete(log);
    this.#leased.delete(log);
    entry.state = state;
    entry.consumer = undefined;
    if (state !== 'leased') entry.takeovers = 0;
    if (state === 'leased') this.#leased.add(log);
    if (state === 'delayed') this.#delayed.set(log, due);
    if (state !== 'queued') return;
    this.#queue.add(log);
    const [waiting] = this.#waiting;
    waiting?.();
  }

  #expire(): void {
    const now = this.#clock();
    for (const log of this.#leased) {
      const entry = this.#entries.get(log)!;
      if (entry.until > now) continue;
      const takeovers = entry.takeovers + 1;
      this.#change(log, entry, 'queued');
      entry.takeovers = takeovers;
    }
  }

  #kept(log: LogName): KeptLog {
    return this.#writing.get(log) ?? this.#keeper.read(log) ?? NOTHING_KEPT;
  }

  async #write(changes: readonly (readonly [LogName, KeptLog])[]): Promise<void> {
    if (changes.length === 0) return;
    try {
      await this.#keeper.write(changes);
    } finally {
      for (const [log, kept] of changes) {
        if (this.#writing.get(log) === kept) this.#writing.delete(log);
      }
    }
  }
}
