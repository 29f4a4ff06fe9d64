/**
 * Page after page of the feed into a {@link FeedTarget}, under one lease after the other.
 *
 *   read 1 ─► apply 1 ─► commit 1 …………┐
 *              read 2 ─► apply 2 ─────►└─► commit 2 …………
 *                         read 3 ─► apply 3 …
 *
 * While a page is applied the next one is read, and while it is committed the next one is applied;
 * never are two being committed.
 *
 * An event that cannot be handled. The events before it become a page of their own and are
 * committed; then it stands first and alone, is tried again, and ends the run or is left out. What
 * is too much for one commit is cut in halves, until it is committed or a single event is to blame.
 */
import { InvalidInput } from '../event/error.ts';
import { pause } from '../event/pause.ts';
import type { RetryPolicy } from '../event/retries.ts';
import { isA } from '../event/thrown.ts';
import {
  FEED_START,
  type Feed,
  type FeedCursor,
  type FeedItem,
  type FeedPage,
} from '../feed/feed.ts';
import { UnreadableEvent } from '../typed/errors.ts';
import {
  EventFailed,
  type EventPlace,
  FeedReset,
  FeedTrimmed,
  Interrupted,
  MovedOn,
  Overtaken,
  ProjectionFailed,
  placeOf,
} from './errors.ts';
import type { FeedTarget } from './feed-target.ts';

/** How much of the feed one page may hold, in bytes. */
const MAX_PAGE_BYTES = 8_388_608;
/** How often a checkpoint is written though nothing has changed, in milliseconds. */
const CHECKPOINT_INTERVAL = 1_000;
/** Where a page takes longer, in milliseconds, the next ones are smaller: a stop waits for a page. */
const LONG_PAGE = 500;

export interface FeedPagesOptions {
  /** As it is called in messages: `projection balances`. */
  readonly label: string;
  /** How many events a page has at most. */
  readonly pageSize: number;
  readonly category: string | undefined;
  readonly retries: RetryPolicy;
  readonly onError: 'stop' | 'skip';
  readonly trimmed: 'stop' | 'accept';
  /**
   * Asked of an event that could not be handled, with whether it was the last attempt: whether it
   * is passed over, as the application did not write it. Left out: `onError` holds for all.
   */
  readonly passOver?: ((place: EventPlace, cause: unknown, isLast: boolean) => boolean) | undefined;
  /** Told what was left out. */
  readonly onSkip: (problem: ProjectionFailed) => void;
  /** Up to where it is committed, and where the feed ended; `atEnd` when there was nothing more. */
  readonly onProgress: (cursor: FeedCursor, end: FeedCursor, atEnd: boolean) => Promise<void>;
  /** Waits for a sign that the feed has grown; not for long. */
  readonly rest: () => Promise<void>;
  /** The store has lost what was read at `cursor`; it goes on from what is kept. */
  readonly onLoss: (cursor: FeedCursor) => void;
}

/** A right to commit that can be lost. */
export interface Stint {
  readonly token: number;
  /** Aborted when the work is to end: it comes to an end in order. */
  readonly stopping: AbortSignal;
  /** Aborted when the lease is lost: what is not committed is somebody else's business. */
  readonly lost: AbortSignal;
}

interface UnderWay {
  readonly done: Promise<void>;
  readonly next: FeedCursor;
  /** What is kept with it; undefined for a checkpoint alone. */
  readonly page: FeedPage | undefined;
  /** What is passed for good when it is done. */
  readonly passed: Failing | undefined;
}

/** An event that was not handled, and has not been passed since. */
interface Failing {
  readonly place: EventPlace;
  /** How many events come before it. */
  before: number;
  /** How many times it was tried. */
  readonly attempts: number;
  leftOut: boolean;
  /** It was applied, or left out, and that is still to be committed. */
  passed: boolean;
}

export class FeedPages {
  readonly #feed: Pick<Feed, 'page' | 'standing'>;
  readonly #target: FeedTarget;
  readonly #options: FeedPagesOptions;
  #limit: number;
  #failing: Failing | undefined;
  /** Up to where it was read and applied, and up to where it was committed. */
  #cursor: FeedCursor = FEED_START;
  #committed: FeedCursor = FEED_START;
  #committedAt = 0;
  #underWay: UnderWay | undefined;
  /** The last page took its time. */
  #slow = false;

  constructor(
    feed: Pick<Feed, 'page' | 'standing'>,
    target: FeedTarget,
    options: FeedPagesOptions,
  ) {
    this.#feed = feed;
    this.#target = target;
    this.#options = options;
    this.#limit = options.pageSize;
  }

  /** Up to where the feed was read and applied. */
  get cursor(): FeedCursor {
    return this.#cursor;
  }

  /**
   * From the last commit on, until it is stopped.
   * @throws Overtaken; MovedOn, Unavailable, OutcomeUnknown: run it again; what else it throws
   *   ends it for good
   */
  async run({ token, stopping, lost }: Stint): Promise<void> {
    this.#underWay = undefined;
    await this.#begin(token);
    let reading = this.#read();
    for (;;) {
      const page = await reading;
      if (lost.aborted) throw new Overtaken();
      if (stopping.aborted) break;
      if (page.standing === 'reset') throw await this.#afterLoss();
      this.#judge(page);
      let applied: boolean;
      const ahead = this.#readAhead(page);
      const begun = performance.now();
      try {
        applied = await this.#target.apply(this.#withoutLeftOut(page), stopping);
      } catch (error) {
        if (error instanceof Interrupted) {
          await this.#keepPart(error.index, token);
          break;
        }
        if (!(error instanceof EventFailed)) throw error;
        this.#target.forget();
        await this.#settle();
        await this.#fail(error, stopping);
        reading = this.#read();
        continue;
      }
      this.#pass(page);
      this.#slow = performance.now() - begun > LONG_PAGE;
      if (page.more) reading = ahead ?? this.#read();
      await this.#settle();
      if (applied || this.#failing?.passed || this.#isCheckpointDue())
        await this.#commit(page, token);
      else await this.#options.onProgress(page.cursor, page.last, !page.more);
      if (page.more) continue;
      await this.#settle();
      await this.#options.rest();
      reading = this.#read();
    }
    await this.#settle();
    if (this.#cursor === this.#committed || lost.aborted) return;
    await this.#commit(undefined, token);
    await this.#settle();
  }

  async #begin(token: number): Promise<void> {
    const begun = await this.#target.begin(token);
    if (begun === 'fenced') {
      // A later token can also be one that the store has lost, with events.
      if (await this.#hasLost(await this.#target.peek())) throw new FeedReset(this.#options.label);
      throw new Overtaken();
    }
    const before = this.#cursor;
    this.#cursor = begun.cursor;
    this.#committed = begun.cursor;
    this.#committedAt = performance.now();
    if (before === begun.cursor || before === FEED_START) return;
    // Somebody else has gone on from there; or store and target are as they were earlier.
    if (await this.#hasLost(before)) this.#options.onLoss(before);
  }

  /**
   * The store has lost what was read. What is kept decides, so that it does not matter whether that
   * is noticed here, by a commit or by the lease: a target that was lost as well is begun again
   * from where it is now, just as if this run began now.
   */
  async #afterLoss(): Promise<FeedReset | MovedOn> {
    await this.#underWay?.done.catch(() => {});
    const isKept = await this.#hasLost(await this.#target.peek());
    return isKept ? new FeedReset(this.#options.label) : new MovedOn();
  }

  async #hasLost(cursor: FeedCursor | null): Promise<boolean> {
    if (cursor === null) return false;
    return (await this.#feed.standing(cursor)) === 'reset';
  }

  /** The page after this one, where that one will be applied without doubt. */
  #readAhead({ more, cursor }: FeedPage): Promise<FeedPage> | undefined {
    if (!more || this.#failing !== undefined) return undefined;
    return this.#read(this.#limit, cursor);
  }

  #read(limit = this.#nextLimit(), after = this.#cursor): Promise<FeedPage> {
    const { category } = this.#options;
    const page = this.#feed.page({ after, limit, maxBytes: MAX_PAGE_BYTES, category });
    // It may be read for nothing, when something else ends the run.
    page.catch(() => {});
    return page;
  }

  #nextLimit(): number {
    if (this.#failing === undefined) return this.#limit;
    return Math.max(1, Math.min(this.#limit, this.#failing.before));
  }

  /** @throws FeedTrimmed */
  #judge({ standing, torn }: FeedPage): void {
    const { label, trimmed } = this.#options;
    if (trimmed === 'accept') return;
    if (standing === 'trimmed') throw new FeedTrimmed(label);
    if (torn !== undefined) throw new FeedTrimmed(label, torn);
  }

  #withoutLeftOut(page: FeedPage): Iterable<FeedItem> {
    if (this.#failing?.leftOut !== true) return page;
    const { place } = this.#failing;
    return page.items.map((item) =>
      item.log === place.log
        ? { ...item, events: item.events.filter(({ id }) => id !== place.id) }
        : item,
    );
  }

  /** All of the page was applied. */
  #pass(page: FeedPage): void {
    this.#cursor = page.cursor;
    if (this.#failing === undefined) return;
    const { log, id } = this.#failing.place;
    const passed = page.items.some(
      (item) => item.log === log && item.events.some((event) => event.id === id),
    );
    if (!passed) {
      this.#failing.before -= countOf(page);
      return;
    }
    this.#failing.passed = true;
    // With care: the ones behind it may be no better.
    this.#limit = 1;
  }

  /** Tries again after a while, ends it, or leaves the event out. */
  async #fail({ place, index, cause }: EventFailed, stopping: AbortSignal): Promise<void> {
    const { label, retries, onError, onSkip, passOver } = this.#options;
    const before = this.#failing;
    const again = before?.place.log === place.log && before.place.id === place.id;
    const attempts = again ? before.attempts + 1 : 1;
    const failing: Failing = { place, before: index, attempts, leftOut: false, passed: false };
    this.#failing = failing;
    if (index > 0) return;
    const isLast = attempts >= retries.attempts || isA(cause, UnreadableEvent);
    if (passOver?.(place, cause, isLast)) {
      failing.leftOut = true;
      return;
    }
    if (!isLast) {
      await pause(retries.delayAfter(attempts), stopping);
      return;
    }
    const problem = new ProjectionFailed(label, place, cause);
    if (onError === 'stop') throw problem;
    failing.leftOut = true;
    onSkip(problem);
  }

  #isCheckpointDue(): boolean {
    if (this.#cursor === this.#committed) return false;
    return performance.now() - this.#committedAt >= CHECKPOINT_INTERVAL;
  }

  /** Nothing else is being committed. */
  async #commit(page: FeedPage | undefined, token: number): Promise<void> {
    const next = this.#cursor;
    try {
      const done = this.#committing(next, token);
      done.catch(() => {});
      const passed = this.#failing?.passed ? this.#failing : undefined;
      this.#underWay = { done, next, page, passed };
    } catch (error) {
      throw await this.#unwritable(page, error);
    }
  }

  #committing(next: FeedCursor, token: number): Promise<void> {
    return this.#target.commit(this.#committed, next, token).then((outcome) => {
      if (outcome === 'fenced') throw new Overtaken();
      if (outcome === 'changed') throw new MovedOn();
    });
  }

  /** Waits for the commit under way. */
  async #settle(): Promise<void> {
    if (this.#underWay === undefined) return;
    const { done, next, page, passed } = this.#underWay;
    try {
      await done;
    } catch (error) {
      throw await this.#unwritable(page, error);
    } finally {
      this.#underWay = undefined;
    }
    this.#committed = next;
    this.#committedAt = performance.now();
    if (page === undefined) return;
    if (passed !== undefined && passed === this.#failing) this.#failing = undefined;
    this.#limit = this.#slow
      ? Math.max(1, Math.ceil(this.#limit / 2))
      : Math.min(this.#options.pageSize, this.#limit * 2);
    await this.#options.onProgress(page.cursor, page.last, !page.more);
  }

  /** What to throw; what is too much for one commit, or no JSON, is tried in smaller pages. */
  async #unwritable(page: FeedPage | undefined, error: unknown): Promise<unknown> {
    if (page === undefined || !(error instanceof InvalidInput)) return error;
    const count = countOf(page);
    this.#limit = Math.max(1, Math.floor(count / 2));
    if (count <= 1) {
      const { log, events } = page.items.find((item) => item.events.length > 0)!;
      await this.#fail(new EventFailed(0, placeOf(log, events[0]!), error), NEVER);
    }
    return new MovedOn();
  }

  /** The first events of the page are done, and cannot be undone. */
  async #keepPart(count: number, token: number): Promise<void> {
    await this.#settle();
    if (count === 0) return;
    const page = await this.#read(count);
    if (!(await this.#target.apply(page, NEVER))) return;
    this.#cursor = page.cursor;
    await this.#commit(undefined, token);
  }
}

const NEVER = new AbortController().signal;

function countOf({ items }: FeedPage): number {
  let count = 0;
  for (const { events } of items) count += events.length;
  return count;
}
