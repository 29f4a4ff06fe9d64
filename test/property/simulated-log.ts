/**
 * A log whose every answer waits until the test lets it happen: when a read looks at the log, when
 * its page arrives, when the listening is acknowledged, which wake-ups come, twice, late or never.
 * The log itself is a list, simple enough to be right at a glance.
 */
import type { Appended } from '../../src/event/appended.ts';
import { type NewEvent, StoredEvent } from '../../src/event/event.ts';
import { type EventId, isAfter, makeEventId, ZERO_ID } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import { Unavailable } from '../../src/event/store-errors.ts';
import type { FeedCursor, FeedPage } from '../../src/feed/feed.ts';
import type { Look, Sight } from '../../src/log/kept-logs.ts';
import type { EventLog, Follower, Page, ReadOptions } from '../../src/log/log.ts';
import { parseReadOptions } from '../../src/log/options.ts';
import { takePage } from '../../src/log/page.ts';
import { readPage } from '../../src/log/read-page.ts';
import type { StoreDescription } from '../../src/log/store-description.ts';

/** How the followers hear of an append. */
export type Telling =
  /** With its events. */
  | 'published'
  /** That something came, as with large events. */
  | 'hinted'
  /** Not at all until the next sweep, as with foreign writers. */
  | 'silent';

interface PendingLook {
  readonly look: Look;
  readonly resolve: (sight: Sight) => void;
  readonly reject: (error: Error) => void;
  sight: Sight | undefined;
}

interface PendingFollow {
  readonly follower: Follower;
  readonly resolve: (unfollow: () => void) => void;
  readonly reject: (error: Error) => void;
}

interface WakeUp {
  readonly to: Follower;
  readonly tell: () => void;
}

export class SimulatedLog implements EventLog {
  /** What the log holds. */
  kept: StoredEvent[] = [];
  version: EventId = ZERO_ID;
  trimmedThrough: EventId = ZERO_ID;
  /** The last ID that was ever given out, lost or not. */
  highest: EventId = ZERO_ID;
  /** Every event that was ever there. */
  readonly given: StoredEvent[] = [];
  /** Those of them that were not lost, trimmed or not. */
  remembered: StoredEvent[] = [];
  /** Whether a wake-up may have been lost that the store still owes. */
  #owing = false;
  #clock = 0;
  #looks: PendingLook[] = [];
  #follows: PendingFollow[] = [];
  #followers = new Set<Follower>();
  #wakeUps: WakeUp[] = [];

  // The live side reads and follows; everything else is the test's.
  append(_log: LogName, _events: readonly NewEvent[]): Promise<Appended> {
    throw new Error('not part of the simulation');
  }

  trim(): Promise<void> {
    throw new Error('not part of the simulation');
  }

  feed(): Promise<FeedPage> {
    throw new Error('not part of the simulation');
  }

  followFeed(): Promise<() => void> {
    throw new Error('not part of the simulation');
  }

  feedEnd(): Promise<FeedCursor> {
    throw new Error('not part of the simulation');
  }

  async describe(): Promise<StoreDescription> {
    return { store: 'simulated', durability: 'none', warnings: [] };
  }

  async close(): Promise<void> {}

  read(log: LogName, options: ReadOptions = {}): Promise<Page> {
    return readPage(this, log, parseReadOptions(options));
  }

  /** Waits and fails as reads do. */
  async before(log: LogName, count: number): Promise<EventId> {
    const range = { after: ZERO_ID, before: undefined, reverse: true };
    const limit = count + 1;
    const sight = await this.look(log, { cursor: undefined, range, limit, maxBytes: 1_000_000 });
    return sight.events[count]?.id ?? ZERO_ID;
  }

  look(_log: LogName, look: Look): Promise<Sight> {
    return new Promise((resolve, reject) => {
      this.#looks.push({ look, resolve, reject, sight: undefined });
    });
  }

  follow(_log: LogName, follower: Follower): Promise<() => void> {
    return new Promise((resolve, reject) => {
      this.#follows.push({ follower, resolve, reject });
    });
  }

  // What happens to the log.

  /** Appends events, side by side. IDs never repeat, not even after a loss. */
  grow(count: number, telling: Telling): void {
    const previous = this.version;
    const events = Array.from({ length: count }, (_, index) => {
      this.#clock += index === 0 ? 1 : 0;
      const id = makeEventId(1_000 + this.#clock, index);
      return new StoredEvent(id, 'Grown', 'text', `tag-${id}`);
    });
    this.kept.push(...events);
    this.remembered.push(...events);
    this.given.push(...events);
    this.version = events[events.length - 1]!.id;
    this.highest = this.version;
    for (const to of this.#followers) {
      if (telling === 'published') {
        this.#wakeUps.push({ to, tell: () => to.events(previous, events) });
      } else if (telling === 'hinted') {
        this.#wakeUps.push({ to, tell: () => to.wake() });
      } else {
        this.#owing = true;
      }
    }
  }

  /** Forgets the first events on purpose. */
  cutHead(count: number): void {
    const last = this.kept[Math.min(count, this.kept.length) - 1];
    if (last === undefined) return;
    this.trimmedThrough = last.id;
    this.kept = this.kept.filter((event) => isAfter(event.id, last.id));
  }

  /** Loses the last events, as a store does whose file lost its tail. */
  loseTail(count: number): void {
    const lost = count === 0 ? [] : this.kept.slice(-count);
    if (lost.length === 0) return;
    this.kept = this.kept.slice(0, -lost.length);
    this.version = this.kept[this.kept.length - 1]?.id ?? this.trimmedThrough;
    this.remembered = this.remembered.filter((event) => !lost.includes(event));
    this.#owing = true;
  }

  // What becomes known of it.

  /** One of the reads under way looks at the log; what it has seen arrives later. */
  lookFor(choice: number): void {
    const pending = pick(
      this.#looks.filter(({ sight }) => sight === undefined),
      choice,
    );
    if (pending !== undefined) pending.sight = this.#sight(pending.look);
  }

  /** What one of the reads under way has seen arrives, as the log was when it looked. */
  answerRead(choice: number): void {
    const pending = this.#takeLook(choice);
    pending?.resolve(pending.sight ?? this.#sight(pending.look));
  }

  failRead(choice: number): void {
    this.#takeLook(choice)?.reject(new Unavailable('simulated'));
  }

  acknowledgeFollow(choice: number): void {
    const follow = pick(this.#follows, choice);
    if (follow === undefined) return;
    this.#follows = this.#follows.filter((each) => each !== follow);
    this.#followers.add(follow.follower);
    follow.resolve(() => {
      this.#followers.delete(follow.follower);
      this.#wakeUps = this.#wakeUps.filter(({ to }) => to !== follow.follower);
    });
  }

  failFollow(choice: number): void {
    const follow = pick(this.#follows, choice);
    this.#follows = this.#follows.filter((each) => each !== follow);
    follow?.reject(new Unavailable('simulated'));
  }

  /** A wake-up comes: normally the oldest one; `choice` lets a later one overtake. */
  deliver(choice: number): void {
    const wakeUp = pick(this.#wakeUps, choice);
    this.#wakeUps = this.#wakeUps.filter((each) => each !== wakeUp);
    wakeUp?.tell();
  }

  /** A wake-up comes, and will come again. */
  deliverTwice(choice: number): void {
    pick(this.#wakeUps, choice)?.tell();
  }

  /** A wake-up is lost with the connection; the store will make up for it. */
  drop(choice: number): void {
    const wakeUp = pick(this.#wakeUps, choice);
    if (wakeUp === undefined) return;
    this.#wakeUps = this.#wakeUps.filter((each) => each !== wakeUp);
    this.#owing = true;
  }

  /** The store listens again: what was on the old connection is gone, everybody is woken. */
  reconnect(): void {
    this.#wakeUps = [];
    this.#owing = false;
    for (const follower of [...this.#followers]) follower.wake();
  }

  /** The store asks for what lies above the positions of its followers. */
  sweep(): void {
    for (const follower of [...this.#followers]) {
      if (isAfter(this.version, follower.position())) follower.wake();
    }
  }

  /** Lets one thing happen that is under way; answers whether there was one. */
  step(): boolean {
    if (this.#follows.length > 0) this.acknowledgeFollow(0);
    else if (this.#looks.length > 0) this.answerRead(0);
    else if (this.#wakeUps.length > 0) this.deliver(0);
    else if (this.#owing) this.reconnect();
    else return false;
    return true;
  }

  #takeLook(choice: number): PendingLook | undefined {
    const pending = pick(this.#looks, choice);
    this.#looks = this.#looks.filter((each) => each !== pending);
    return pending;
  }

  #sight({ cursor, range, limit, maxBytes }: Look): Sight {
    const { version, trimmedThrough: trimmed } = this;
    const { after, before, reverse } = range;
    const wanted = this.kept.filter(
      ({ id }) => isAfter(id, after) && (before === undefined || isAfter(before, id)),
    );
    if (reverse) wanted.reverse();
    const facts = cursor !== undefined && {
      ...{ version, trimmed, first: this.kept[0]?.id, maxDeleted: ZERO_ID },
      othersRemoved: false,
      holdsCursor: this.kept.some(({ id }) => id === cursor),
    };
    return {
      ...{ version, stamp: trimmed, facts: facts || undefined },
      ...takePage(wanted, limit, maxBytes),
    };
  }
}

function pick<T>(list: readonly T[], choice: number): T | undefined {
  return list[choice % Math.max(1, list.length)];
}
