/**
 * A group in Redis, for all of its members in this process: makes it, and queues what is new.
 *
 *   feed (its slot)                the group (its slot)
 *   ├ index from our place ─┐      ├ where does it stand? (look.lua)
 *   └───────────────────────┴────► └ queue those logs, and move on, if it still stands there (note.lua)
 *
 * Reading and queueing are two steps, as the feed may be on another server. Any member may do them at
 * any time, also repeat them: of two that read the same, one queues it. A look that finds nothing is
 * one trip, its calls beside each other.
 */
import { ZERO_ID } from '../../../event/event-id.ts';
import { ProgressLost } from '../../../event/store-errors.ts';
import { FEED_START, type FeedCursor, type Stretch } from '../../../feed/feed.ts';
import type { IndexPage } from '../../../feed/feed-index.ts';
import { newsOf } from '../../../work-queues/news.ts';
import { checkCategory, type JoinRequest } from '../../../work-queues/rules.ts';
import { FIRST_MARKS, type RedisFeedIndex } from '../feed/redis-feed-index.ts';
import { type GroupKeys, groupKeys } from './keys.ts';
import type { ScriptCaller } from './script-caller.ts';
import { JOIN_SCRIPT, LAG_SCRIPT, LOOK_SCRIPT, MEND_SCRIPT, NOTE_SCRIPT } from './scripts.ts';

/**
 * How many entries of the feed a look reads. When many processes look at once, all but one have read
 * for nothing: so each reads little, and more only as long as it is the one that moves the group on.
 */
const FIRST_STEP = 32;
const LONGEST_STEP = 256;
/** How many logs of the marks, and how many whose delay is over, a look goes over at most (about). */
const MARKS_STEP = 256;
const DUE_STEP = 200;
/** How many of what waits is looked over at once, and how often in milliseconds. */
const MEND_STEP = 200;
const MEND_INTERVAL = 1_000;

/** What a group needs of the feed. */
export type GroupFeed = Pick<RedisFeedIndex, 'read' | 'end' | 'marks'>;

/** Where a group stands. */
interface Place {
  readonly at: FeedCursor;
  /** Where going over the marks has got to; '' when nobody does. */
  readonly scan: string;
}

interface Standing extends Place {
  readonly category: string;
  readonly moreDue: boolean;
}

/** What lag.lua and look.lua answer. */
type Lag = readonly [waiting: number, resting: number, at: FeedCursor, scan: string];
type Found = readonly [moreDue: number, category: string, at: FeedCursor, scan: string];

/** How a step of a look has gone. */
type Queued = 'queued' | 'elsewhere' | 'no_group';

export class RedisGroup {
  readonly keys: GroupKeys;
  readonly #name: string;
  readonly #calls: ScriptCaller;
  readonly #index: GroupFeed;
  /** Where the group stood when we last heard of it. */
  #at: FeedCursor = FEED_START;
  #step = FIRST_STEP;
  #nextMend = 0;
  #looking: Promise<boolean> | undefined;
  #following: Promise<boolean> | undefined;

  constructor(name: string, calls: ScriptCaller, index: GroupFeed) {
    this.#name = name;
    this.keys = groupKeys(name);
    this.#calls = calls;
    this.#index = index;
  }

  /** Makes it, if it is not there. @throws ProgressLost, InvalidInput for another category */
  async make({ category, from }: JoinRequest): Promise<void> {
    const { logs, state, cursors } = this.keys;
    const end = await this.#index.end();
    const keys = [logs, state, cursors];
    const reply = await this.#calls.call(JOIN_SCRIPT, keys, [category, from, end]);
    const [made] = reply as [string?];
    if (made === undefined) {
      const who = `the group ${this.#name}`;
      throw new ProgressLost(who, cursors, `all keys {work:${this.#name}}:*`);
    }
    checkCategory(this.#name, made, category);
  }

  /** See {@link WorkConsumer.look}. */
  look(request: JoinRequest): Promise<boolean> {
    if (this.#looking === undefined) return this.#beginLook(request);
    // One that has begun may have read before what its caller knows of.
    this.#following ??= this.#looking
      .catch(() => {})
      .then(() => {
        this.#following = undefined;
        return this.#beginLook(request);
      });
    return this.#following;
  }

  /** See {@link WorkConsumer.lag}. */
  async lag(request: JoinRequest): Promise<number> {
    const { logs, cursors, delayed, state } = this.keys;
    for (;;) {
      const from = this.#at;
      const [reply, unread] = await Promise.all([
        this.#calls.call(LAG_SCRIPT, [logs, cursors, delayed, state], []),
        this.#index.read(from, 1, request.category),
      ]);
      const [lag] = reply as readonly [Lag?];
      if (lag === undefined) {
        await this.make(request);
        continue;
      }
      const [waiting, resting, at, scan] = lag;
      const { behind } = at === from ? unread : await this.#index.read(at, 1, request.category);
      this.#at = at;
      return waiting + resting + behind + (scan === '' ? 0 : 1);
    }
  }

  #beginLook(request: JoinRequest): Promise<boolean> {
    this.#looking = this.#look(request).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(request: JoinRequest): Promise<boolean> {
    const { category, leaseTime } = request;
    const from = this.#at;
    const [standing, isThere, first] = await Promise.all([
      this.#standing(),
      this.#mend(leaseTime),
      this.#index.read(from, this.#step, category),
    ]);
    if (standing === undefined || !isThere || standing.category !== category) {
      await this.make(request);
      return true;
    }
    const page = standing.at === from ? first : await this.#readFrom(standing.at, category);
    const [queued, more] = await this.#queueNews(standing, page, category);
    if (queued === 'no_group') await this.make(request);
    return queued !== 'queued' || more || standing.moreDue;
  }

  /** @returns how that went, and whether there is more */
  async #queueNews(place: Place, page: IndexPage, category: string): Promise<[Queued, boolean]> {
    const { next, stretches, standing, more } = page;
    const { at, scan } = place;
    if (standing !== 'whole') {
      return [await this.#queue(place, { at: next, scan: FIRST_MARKS }, 'lost', []), true];
    }
    if (next !== at) {
      const news = newsOf(stretches, category);
      const queued = await this.#queue(place, { at: next, scan }, 'entries', news);
      if (queued !== 'queued') return [queued, more];
      this.#step = more ? Math.min(this.#step * 2, LONGEST_STEP) : FIRST_STEP;
    }
    if (scan === '') return ['queued', more];
    // Also when there was news: of a feed that grows all the time there always is.
    const { marks, next: rest = '' } = await this.#index.marks(scan, MARKS_STEP, category);
    const stretchesOfMarks = marks.map(({ log, last }) => ({ log, first: ZERO_ID, last }));
    const news = newsOf(stretchesOfMarks, category);
    const queued = await this.#queue({ at: next, scan }, { at: next, scan: rest }, 'marks', news);
    return [queued, more || rest !== ''];
  }

  async #standing(): Promise<Standing | undefined> {
    const { logs, queued, told, cursors, delayed, state } = this.keys;
    const keys = [logs, queued, told, cursors, delayed, state];
    const reply = await this.#calls.call(LOOK_SCRIPT, keys, [DUE_STEP]);
    const [found] = reply as readonly [Found?];
    if (found === undefined) return undefined;
    const [more, category, at, scan] = found;
    return { at, scan, category, moreDue: more === 1 };
  }

  /** Somebody else has moved the group on, or we have not looked before. */
  #readFrom(at: FeedCursor, category: string): Promise<IndexPage> {
    this.#at = at;
    this.#step = FIRST_STEP;
    return this.#index.read(at, this.#step, category);
  }

  async #queue(
    from: Place,
    to: Place,
    what: 'entries' | 'marks' | 'lost',
    news: readonly Stretch[],
  ): Promise<Queued> {
    const { logs, queued, told, cursors, state } = this.keys;
    const reply = await this.#calls.call(
      NOTE_SCRIPT,
      [logs, queued, told, cursors, state],
      [
        ...[from.at, from.scan, to.at, to.scan, what],
        ...news.flatMap(({ log, first, last }) => [log, first, last]),
      ],
    );
    const [isDone, elsewhere] = reply as readonly [isDone?: number, at?: FeedCursor];
    if (isDone === undefined) return 'no_group';
    this.#at = elsewhere ?? to.at;
    if (isDone === 1) return 'queued';
    this.#step = FIRST_STEP;
    return 'elsewhere';
  }

  /** Now and then. @returns false when there is no such group */
  async #mend(leaseTime: number): Promise<boolean> {
    const now = performance.now();
    if (now < this.#nextMend) return true;
    const { logs, queued, told, attempts, delayed, redrives, state } = this.keys;
    const keys = [logs, queued, told, attempts, delayed, redrives, state];
    const interval = Math.min(MEND_INTERVAL, Math.ceil(leaseTime / 4));
    const mended = await this.#calls.call(MEND_SCRIPT, keys, [MEND_STEP, interval]);
    this.#nextMend = now + interval;
    return mended !== -1;
  }
}
