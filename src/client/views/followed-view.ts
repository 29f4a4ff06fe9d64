/**
 * A view at work. It follows its log while somebody is subscribed, and for a while after that: who
 * goes to another page often comes back.
 *
 *   idle ──subscribed──► opening (kept state, outbox) ──► following ◄──► reloading (snapshot)
 *     ▲                                                       │              │
 *     └────────── nobody is any more, failed, closed ─────────┴──────────────┘
 */
import { isAfter } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { pause } from '../../event/pause.ts';
import { textOf } from '../../event/thrown.ts';
import type { ClientContext } from '../client-context.ts';
import { Refused } from '../errors.ts';
import type { Consumer } from '../logs/consumer.ts';
import type { Fold } from './fold.ts';
import { Folding } from './folding.ts';
import { KeptView } from './kept-view.ts';
import { onHidden } from './page-hidden.ts';
import { PendingEvents } from './pending-events.ts';
import type { View, ViewState } from './view.ts';
import type { ViewSources } from './view-options.ts';

/** Milliseconds for which the log is followed when nobody is subscribed any more. */
const GRACE = 5_000;
/** Most milliseconds before a snapshot is asked for again, the first time and any time. */
const FIRST_RELOAD = 1_000;
const LAST_RELOAD = 30_000;

export class FollowedView<State> implements View<State> {
  readonly #context: ClientContext;
  readonly #log: LogName;
  readonly #fold: Fold<State>;
  readonly #pending: PendingEvents;
  readonly #folding: Folding<State>;
  readonly #told = new Set<() => void>();
  /** Told when it begins to follow, and when it has ended. */
  readonly #used: (isUsed: boolean) => void;
  #snapshot: ViewSources<State>['snapshot'];
  #isLoaded = false;
  #isCurrent = false;
  #failure: Refused | undefined;
  /** Undefined: it has to be put together anew. */
  #value: ViewState<State> | undefined;
  #isTelling = false;
  #loading: Promise<ViewState<State>> | undefined;
  /** While it follows. */
  #run: AbortController | undefined;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #opening: Promise<void> | undefined;
  #kept: KeptView<State> | undefined;
  /** Since the log was last read to its end. */
  #reloads = 0;

  constructor(
    context: ClientContext,
    log: LogName,
    fold: Fold<State>,
    used: (isUsed: boolean) => void,
  ) {
    this.#context = context;
    this.#log = log;
    this.#fold = fold;
    this.#used = used;
    this.#pending = new PendingEvents(log, fold, context);
    this.#folding = new Folding(log, fold, this.#pending);
  }

  /** Where states come from; whoever says so first is heard. @throws InvalidInput */
  provide({ snapshot, handedOver }: ViewSources<State>): void {
    this.#snapshot ??= snapshot;
    if (handedOver === undefined || this.#isLoaded || this.#opening !== undefined) return;
    this.#folding.place(handedOver);
    this.#isLoaded = true;
  }

  // Bound, as they are handed over as functions.
  readonly get = (): ViewState<State> => {
    this.#value ??= {
      ...this.#folding.shown,
      confirmed: this.#folding.confirmed,
      refusals: this.#context.appends.refusals.get().filter(({ entry }) => entry.log === this.#log),
      isLoaded: this.#isLoaded,
      isCurrent: this.#isCurrent,
      cursor: this.#folding.cursor,
      lost: this.#folding.lost,
      failure: this.#failure,
    };
    return this.#value;
  };

  readonly subscribe = (changed: () => void): (() => void) => {
    const told = () => changed();
    this.#told.add(told);
    clearTimeout(this.#grace);
    if (this.#run === undefined) this.#begin();
    return () => {
      if (!this.#told.delete(told) || this.#told.size > 0) return;
      this.#grace = setTimeout(() => this.#end(), GRACE);
      // A program that is done does not wait for it.
      this.#grace.unref?.();
    };
  };

  loaded(): Promise<ViewState<State>> {
    if (this.#isLoaded) return Promise.resolve(this.get());
    // The same for all that wait, however often they ask.
    this.#loading ??= new Promise((resolve, reject) => {
      const done = this.subscribe(() => {
        if (!this.#isLoaded && this.#failure === undefined) return;
        done();
        this.#loading = undefined;
        if (this.#isLoaded) resolve(this.get());
        else reject(this.#failure);
      });
    });
    return this.#loading;
  }

  /** Whoever is subscribed is told once for all that happens in one turn. */
  #changed(): void {
    this.#value = undefined;
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      for (const told of [...this.#told]) told();
    });
  }

  #begin(): void {
    const run = new AbortController();
    const { signal } = run;
    const { connection } = this.#context.client;
    const look = () => {
      const { status, reason } = connection.get();
      if (status === 'closed') this.#fail(new Refused({ code: 'closed', message: reason }));
      else if (status !== 'live' && status !== 'catching up') this.#isNotCurrent();
    };
    this.#run = run;
    this.#failure = undefined;
    this.#used(true);
    signal.addEventListener('abort', connection.subscribe(look));
    look();
    this.#opening ??= this.#open();
    void this.#opening.then(() => {
      if (signal.aborted) return;
      this.#listen(signal);
      this.#follow(signal);
    });
  }

  /** What the device has of it, unless what was handed over is newer. */
  async #open(): Promise<void> {
    const { name, version } = this.#fold;
    const cache = await this.#context.cache.catch(() => undefined);
    if (cache === undefined || name === undefined) return;
    this.#kept = new KeptView(cache, `${this.#log} ${name}`, version, () => ({
      ...this.#folding.now,
      isLoaded: this.#isLoaded,
    }));
    const at = await this.#kept.read();
    if (at === undefined || isAfter(this.#folding.cursor, at.cursor)) return;
    this.#folding.go(at);
    this.#isLoaded ||= at.isLoaded;
  }

  #listen(signal: AbortSignal): void {
    const { appends } = this.#context;
    const changed = () => {
      this.#folding.pendingChanged();
      this.#changed();
    };
    const ends = [
      appends.watch(this.#log, {
        added: (entry) => {
          this.#pending.put(entry);
          changed();
        },
        changed: (entry) => {
          this.#pending.put(entry);
          changed();
        },
        finished: (entry, outcome) => {
          this.#pending.finish(entry, outcome, this.#folding.cursor);
          changed();
        },
      }),
      appends.refusals.subscribe(() => this.#changed()),
      onHidden(() => this.#kept?.keepNow()),
    ];
    for (const end of ends) signal.addEventListener('abort', end);
    this.#pending.restart(appends.of(this.#log));
    changed();
  }

  #follow(signal: AbortSignal): void {
    const folding = this.#folding;
    const moved = () => {
      this.#kept?.keepSoon();
      this.#changed();
    };
    /** Events are gone. */
    const gone = (goOn: () => void, isReset: boolean) => {
      this.#isNotCurrent();
      if (this.#snapshot === undefined) {
        goOn();
        moved();
        return;
      }
      unfollow();
      void this.#reload(this.#snapshot, isReset, signal);
    };
    const consumer: Consumer = {
      events: (events) => {
        try {
          folding.events(events);
        } catch (error) {
          const message = `${this.#log} cannot be viewed: ${textOf(error)}`;
          this.#fail(new Refused({ code: 'view_failed', message }, { cause: error }));
        }
        moved();
      },
      live: (at) => {
        if (at !== undefined) folding.readUpTo(at);
        this.#isLoaded = true;
        this.#isCurrent = true;
        this.#reloads = 0;
        moved();
      },
      trimmed: (resumeAfter) => gone(() => folding.trimmed(resumeAfter), false),
      reset: () => gone(() => folding.reset(), true),
      failed: (failure) => this.#fail(new Refused(failure)),
    };
    const unfollow = this.#context.channels.open(this.#log, { after: folding.cursor }, consumer);
    signal.addEventListener('abort', unfollow);
  }

  async #reload(
    snapshot: NonNullable<ViewSources<State>['snapshot']>,
    isReset: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    for (let isPlaced = false; !isPlaced; ) {
      const most = Math.min(LAST_RELOAD, FIRST_RELOAD * 2 ** (this.#reloads - 1));
      if (this.#reloads > 0) await pause(Math.random() * most, signal);
      this.#reloads += 1;
      try {
        if (signal.aborted) return;
        const at = await snapshot();
        if (signal.aborted) return;
        this.#folding.place(at);
        if (isReset) this.#pending.forget();
        isPlaced = true;
      } catch (error) {
        if (this.#reloads > 1) continue;
        console.warn(
          `millrace: a snapshot of ${this.#log} failed, and is asked for again: ${textOf(error)}`,
        );
      }
    }
    this.#isLoaded = true;
    this.#kept?.keepSoon();
    this.#changed();
    this.#follow(signal);
  }

  #isNotCurrent(): void {
    if (!this.#isCurrent) return;
    this.#isCurrent = false;
    this.#changed();
  }

  #fail(failure: Refused): void {
    this.#end();
    this.#failure = failure;
    this.#changed();
  }

  #end(): void {
    clearTimeout(this.#grace);
    this.#run?.abort();
    this.#run = undefined;
    this.#kept?.keepNow();
    // One that has failed is not made anew as long as somebody looks at it: it would fail again at once.
    if (this.#told.size === 0) this.#used(false);
    this.#isNotCurrent();
  }
}
