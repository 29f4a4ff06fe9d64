/**
 * Follows the feed into a {@link FeedTarget}, one instance at a time, for as long as it is let:
 * what projections and reactions share. In here: the lease, waiting, and who is told what. Page
 * after page: feed-pages.ts.
 *
 *   waiting ── lease ─► catching-up ── nothing more ─► live ──► stopped
 *      ▲                     │  ▲                        │
 *      └──── lease lost ─────┘  └── more than a page ────┘     failed, superseded: for good
 *
 * The lease says who works, and is kept in time; its token says who may commit, and is looked at
 * with every commit. An instance that was paused and missed the end of its lease cannot commit.
 */
import { MillraceError } from '../event/error.ts';
import { pause } from '../event/pause.ts';
import { delayAfter } from '../event/retries.ts';
import { Closed, Unavailable } from '../event/store-errors.ts';
import { FEED_START, type Feed, type FeedCursor } from '../feed/feed.ts';
import { passedBy } from '../feed/passing.ts';
import { orAborted } from '../log/or-aborted.ts';
import type { Happening } from '../metrics/notice.ts';
import type { Observer } from '../metrics/observer.ts';
import type { Lease, Records } from '../records/records.ts';
import { isTrouble, MovedOn, Overtaken } from './errors.ts';
import { FeedPages, type FeedPagesOptions } from './feed-pages.ts';
import type { FeedTarget } from './feed-target.ts';

/** How soon to look again while somebody waits for what another instance does, in milliseconds. */
const WAITED_FOR = 50;
const STORE_DELAYS = { firstDelay: 50, maxDelay: 2_000, certain: 0.5 };

/** What a projection or a reaction is doing. */
export type RunState = 'waiting' | 'catching-up' | 'live' | 'failed' | 'superseded' | 'stopped';

export interface FeedRunOptions
  extends Omit<FeedPagesOptions, 'onProgress' | 'rest' | 'onSkip' | 'onLoss' | 'category'> {
  /** The name of the lease; asked once it is known whether it is superseded. */
  readonly lease: () => string;
  /** How long a lease lasts without being renewed, in milliseconds. */
  readonly leaseTime: number;
  readonly category?: string | undefined;
  /** As the application calls it. */
  readonly name: string;
  /** Told what cannot be handled, when the store is lost, and how far it is. */
  readonly observer: Observer;
  /** Asked before the first lease and with each renewal: whether to end as superseded. */
  readonly isSuperseded?: () => Promise<boolean>;
  /** Called when all that there was has been committed, before anybody is told so. */
  readonly onCaughtUp?: () => Promise<void>;
}

interface Waiter {
  /** Up to where it waits. */
  readonly end: FeedCursor;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class FeedRun {
  readonly ended: Promise<void>;
  readonly #feed: Feed;
  readonly #records: Pick<Records, 'lease'>;
  readonly #target: FeedTarget;
  readonly #options: FeedRunOptions;
  readonly #pages: FeedPages;
  readonly #stopping = new AbortController();
  /** Ends a wait; a new one for each. */
  #idle = new AbortController();
  #woken = false;
  #waiters = new Set<Waiter>();
  #caughtUp = false;
  #state: RunState = 'waiting';
  #error: MillraceError | undefined;
  /** What whoever waits is told of its end. */
  #closed: Closed;
  #trouble: string | undefined;
  /** How often the store has been away since something went well. */
  #failedInRow = 0;
  #cursor: FeedCursor = FEED_START;
  /** Where the feed ended at the last look; undefined until that is known. */
  #end: FeedCursor | undefined;
  /** Where it was when the store lost what was there. */
  #lostAt: FeedCursor | null | undefined;
  #skipped = 0;

  constructor(
    feed: Feed,
    records: Pick<Records, 'lease'>,
    target: FeedTarget,
    options: FeedRunOptions,
  ) {
    this.#feed = feed;
    this.#records = records;
    this.#target = target;
    this.#options = options;
    this.#closed = new Closed(options.label);
    this.#pages = new FeedPages(feed, target, {
      ...options,
      category: options.category,
      onSkip: (problem) => {
        this.#skipped += 1;
        const { log, id, type } = problem;
        this.#notice({ what: 'left_out', log, id, type, error: problem });
      },
      onProgress: (cursor, end, atEnd) => this.#onProgress(cursor, end, atEnd),
      rest: () => this.#rest(options.leaseTime / 3),
      onLoss: (cursor) => this.#lose(cursor),
    });
    this.ended = this.#run();
  }

  get state(): RunState {
    return this.#state;
  }

  get error(): MillraceError | undefined {
    return this.#error;
  }

  /** Why the store does not answer at the moment. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** How many entries of the feed are counted in. */
  get position(): number {
    return this.#feed.lag(FEED_START, this.#cursor);
  }

  /** How many there were at the last look; infinite until that is known, as the lag is. */
  get end(): number {
    return this.#lagOf(FEED_START);
  }

  get lag(): number {
    return this.#lagOf(this.#cursor);
  }

  /** How many events were left out since the start. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Where the feed ends now; notices when it is not the one that was counted. */
  async endOfFeed(): Promise<FeedCursor> {
    const { cursor } = this.#pages;
    const [standing, end] = await Promise.all([this.#feed.standing(cursor), this.#feed.end()]);
    if (standing === 'reset') this.#lose(cursor);
    return end;
  }

  /**
   * Resolves when everything up to `end` is committed, by whichever instance.
   * @throws why it does not go on; Unavailable when the store loses what is waited for; Closed; the
   *   signal's reason
   */
  async reached(end: FeedCursor, signal?: AbortSignal): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    let waiter: Waiter | undefined;
    const reached = new Promise<void>((resolve, reject) => {
      waiter = { end, resolve, reject };
    });
    this.#waiters.add(waiter!);
    this.#tell();
    this.#wake();
    try {
      await orAborted(() => reached, signal);
    } finally {
      this.#waiters.delete(waiter!);
    }
  }

  /** @param why what whoever waits is told, where it is not this one that was closed */
  async stop(why?: Closed): Promise<void> {
    if (why !== undefined && !this.#stopping.signal.aborted) this.#closed = why;
    this.#stopping.abort();
    this.#wake();
    await this.ended;
  }

  async #run(): Promise<void> {
    const { isSuperseded, lease, leaseTime } = this.#options;
    const { signal } = this.#stopping;
    const following = this.#follow();
    try {
      await this.#persist(signal, async () => {
        if (await isSuperseded?.()) {
          this.#state = 'superseded';
          return false;
        }
        const held = await this.#records.lease(lease(), { timeToLive: leaseTime });
        await (held === undefined ? this.#lookOn() : this.#hold(held));
        return true;
      });
      if (this.#state !== 'superseded') this.#state = 'stopped';
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#stopping.abort();
      const refusal = this.#refusal() ?? this.#closed;
      for (const { reject } of this.#waiters) reject(refusal);
      this.#waiters.clear();
      void following.then((end) => end?.());
    }
  }

  /** Does it until it answers false, again when the store was away, and no more once `signal` is aborted. */
  async #persist(signal: AbortSignal, work: () => Promise<boolean>): Promise<void> {
    while (!signal.aborted) {
      try {
        if (!(await work())) return;
      } catch (error) {
        if (error instanceof Overtaken || error instanceof MovedOn) continue;
        if (!isTrouble(error)) throw error;
        this.#failedInRow += 1;
        if (this.#failedInRow === 1) this.#notice({ what: 'store', error });
        this.#trouble = error.message;
        await pause(delayAfter(this.#failedInRow, STORE_DELAYS), signal);
      }
    }
  }

  #fail(error: unknown): void {
    if (error instanceof Closed) {
      this.#state = 'stopped';
      return;
    }
    this.#state = 'failed';
    this.#error =
      error instanceof MillraceError
        ? error
        : new MillraceError('internal', `${this.#options.label} failed unexpectedly`, {
            cause: error,
          });
    this.#notice({ what: 'ended', error: this.#error });
  }

  #notice(happening: Happening): void {
    const { observer, label: by } = this.#options;
    observer.notice({ ...happening, by });
  }

  #refusal(): MillraceError | undefined {
    if (this.#state === 'failed') return this.#error;
    return this.#stopping.signal.aborted ? this.#closed : undefined;
  }

  /** Wake-ups are only hints: until they can be had, the feed is looked at now and then. */
  async #follow(): Promise<(() => void) | undefined> {
    const { signal } = this.#stopping;
    for (let failed = 1; !signal.aborted; failed += 1) {
      try {
        return await this.#feed.follow(() => this.#wake(), signal);
      } catch {
        await pause(delayAfter(failed, STORE_DELAYS), signal);
      }
    }
    return undefined;
  }

  #wake(): void {
    this.#woken = true;
    this.#idle.abort();
  }

  /** Waits for a wake-up, but not longer than so many milliseconds. */
  async #rest(milliseconds: number): Promise<void> {
    if (!this.#woken && !this.#stopping.signal.aborted) {
      this.#idle = new AbortController();
      await pause(milliseconds, this.#idle.signal);
    }
    this.#woken = false;
  }

  #lagOf(cursor: FeedCursor): number {
    return this.#end === undefined ? Number.POSITIVE_INFINITY : this.#feed.lag(cursor, this.#end);
  }

  async #onProgress(cursor: FeedCursor, end: FeedCursor, atEnd: boolean): Promise<void> {
    this.#isWell();
    this.#cursor = cursor;
    this.#end = end;
    this.#options.observer.gauge('feed_lag', this.lag, this.#options.name);
    if (atEnd) {
      await this.#options.onCaughtUp?.();
      this.#caughtUp = true;
    }
    if (!this.#stopping.signal.aborted) this.#state = atEnd ? 'live' : 'catching-up';
    this.#tell();
  }

  /** What was counted at `cursor` is gone: how far it is, is not known until it has gone on. */
  #lose(cursor: FeedCursor | null): void {
    if (cursor === this.#lostAt) return;
    this.#lostAt = cursor;
    this.#caughtUp = false;
    this.#cursor = FEED_START;
    this.#end = undefined;
    const gone = new Unavailable('the store has lost events that were waited for');
    for (const { reject } of this.#waiters) reject(gone);
    this.#waiters.clear();
  }

  #isWell(): void {
    this.#trouble = undefined;
    this.#failedInRow = 0;
  }

  #tell(): void {
    if (!this.#caughtUp) return;
    for (const waiter of this.#waiters) {
      if (!this.#feed.reached(this.#cursor, waiter.end)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** Another instance works: how far is it? */
  async #lookOn(): Promise<void> {
    this.#state = 'waiting';
    const { category, leaseTime } = this.#options;
    const kept = await this.#target.peek();
    const { cursor, end } = await passedBy(this.#feed, kept, category);
    this.#isWell();
    // A feed only grows.
    if (this.#end !== undefined && !this.#feed.reached(end, this.#end)) this.#lose(kept);
    this.#cursor = cursor;
    this.#end = end;
    this.#caughtUp ||= this.#feed.reached(cursor, end);
    this.#tell();
    await this.#rest(this.#waiters.size > 0 ? WAITED_FOR : leaseTime / 6);
  }

  async #hold(lease: Lease): Promise<void> {
    const { signal: stopping } = this.#stopping;
    const letGo = new AbortController();
    const lost = new AbortController();
    const renewing = this.#renew(lease, letGo.signal, lost);
    this.#state = 'catching-up';
    try {
      await this.#persist(stopping, async () => {
        try {
          await this.#pages.run({ token: lease.token, stopping, lost: lost.signal });
          return false;
        } catch (error) {
          this.#target.forget();
          if (error instanceof Overtaken) return false;
          throw error;
        }
      });
    } finally {
      letGo.abort();
      await renewing;
      // When that fails it ends by itself.
      await lease.release().catch(() => {});
    }
  }

  async #renew(lease: Lease, letGo: AbortSignal, lost: AbortController): Promise<void> {
    for (;;) {
      await pause(this.#options.leaseTime / 3, letGo);
      if (letGo.aborted) return;
      try {
        if ((await lease.renew()) && !(await this.#options.isSuperseded?.())) continue;
      } catch (error) {
        // Commits tell whether it is still ours, and the next renewal may come through; not so where
        // the store is closed, also when a handler never comes to its end.
        if (!(error instanceof Closed)) continue;
      }
      lost.abort();
      this.#wake();
      return;
    }
  }
}
