/**
 * Projections: read models that are computed from the feed, each event counted exactly once.
 *
 *   feed ─► FeedRun (lease, pages) ─► Fold (handlers, rows) ─► ReadModel (rows + checkpoint)
 *                                                                   ▲
 *                                      readers: get, rows ──────────┘ of the version that serves
 */
import { InvalidInput, type MillraceError } from '../event/error.ts';
import { pause } from '../event/pause.ts';
import { Closed } from '../event/store-errors.ts';
import type { Feed, FeedCursor } from '../feed/feed.ts';
import { feedOf } from '../feed/feed-of.ts';
import { passedBy } from '../feed/passing.ts';
import { endsWith } from '../log/dependents.ts';
import type { EventLog } from '../log/log.ts';
import { orAborted, type WaitOptions } from '../log/or-aborted.ts';
import { observer } from '../metrics/observer.ts';
import type { ReadModel } from '../read-models/read-models.ts';
import type { Records } from '../records/records.ts';
import type { AnyPayloads } from '../typed/event-types.ts';
import { checkDefinition, type ProjectionDefinition } from './definition.ts';
import { Definitions } from './definitions.ts';
import { ProjectionChanged, ProjectionSuperseded } from './errors.ts';
import { FeedRun, type RunState } from './feed-run.ts';
import { fingerprintOf } from './fingerprint.ts';
import { Fold, rulesOf } from './fold.ts';
import { passOver } from './pass-over.ts';
import { leaseOf, retireEarlier } from './retiring.ts';
import { checkRunOptions, type RunDefaults } from './run-options.ts';
import { tableOf, VersionRecord, versionOf } from './versions.ts';

/** What projections need of a store. */
export interface ProjectionStore {
  readonly log: Pick<EventLog, 'feed' | 'followFeed' | 'feedEnd'>;
  /** Left out: what the log says of it. */
  readonly feed?: Feed | undefined;
  readonly records: Pick<Records, 'get' | 'compareAndSet' | 'lease'>;
  /** Not needed when the definition brings a read model. */
  readonly readModels?: ReadModel | undefined;
}

/** How a projection is doing. */
export interface ProjectionStatus {
  /**
   * `waiting`: another instance works, or the store cannot be reached; `catching-up` and `live`:
   * this one works; `failed`: see `error`; `superseded`: a later version serves, so this one has
   * ended; its rows are not kept up to date, and {@link Projection.get} reads those that serve.
   */
  readonly state: RunState;
  readonly version: number;
  /** Which version readers see; undefined until the store has said so. */
  readonly serving: number | undefined;
  /** How many entries of the feed are counted in, and how many there were at the last look. */
  readonly position: number;
  readonly end: number;
  readonly lag: number;
  /** How many events this instance has left out (`onError: 'skip'`). */
  readonly skipped: number;
  /**
   * How many events this instance has passed over for who wrote them: not one of `writers`, or not
   * the application, and nothing that can be read or handled. One that is read again counts again.
   */
  readonly passedOver: number;
  /** Why it cannot go on at the moment; it tries by itself. */
  readonly trouble: string | undefined;
  readonly error: MillraceError | undefined;
}

/** A projection that runs, or waits for its turn. */
export interface Projection<State> {
  readonly name: string;
  readonly version: number;

  /**
   * The row, as committed, of the version that serves; undefined when it is not there.
   * @throws InvalidInput, WrongType, Unavailable, Closed
   */
  get(key: string): Promise<State | undefined>;

  /**
   * All rows, in no promised order, each key once. The loop waits for nothing but the read model,
   * so `return()` comes after the answer that is awaited; when the store is closed, it throws Closed.
   */
  rows(): AsyncIterable<readonly [key: string, state: State]>;

  /**
   * Resolves when readers see everything that was in the feed when it was called, whichever
   * instance has counted it, and whichever version serves. Waits while the store is away.
   * @throws ProjectionFailed, ProjectionChanged, FeedReset, FeedTrimmed; ProjectionSuperseded when a
   *   later version serves and nobody has been at work on it for a `leaseTime`; Closed when this one was stopped or its store
   *   closed; Unavailable; the signal's reason
   */
  caughtUp(options?: WaitOptions): Promise<void>;

  /** How many entries of the feed are still to be counted in; infinite until that is known. */
  lag(): number;

  status(): ProjectionStatus;

  /**
   * Resolves when it has come to its end by itself, by {@link stop}, or with its store, which is
   * `stopped` as well; `status()` tells which. Never rejects.
   */
  ended(): Promise<void>;

  /**
   * Ends it after the page at hand, and lets another instance go on at once. Rows can still be read.
   * Called again, it waits for the same end.
   */
  stop(): Promise<void>;
}

/**
 * Keeps a read model up to date, from the first event of the feed on. Of several instances with
 * the same name and version, in whatever processes, one works at a time; the others wait, and can
 * be read from all the same.
 *
 *     const balances = project(store, {
 *       name: 'balances',
 *       events: bank,
 *       category: 'account',
 *       initial: () => ({ balance: 0 }),
 *       on: { Deposited: (state, event) => { state.balance += event.payload.amount; } },
 *     });
 *     await balances.caughtUp();
 *     await balances.get('account:1');   // { balance: 10 }
 *
 * It runs until it is stopped or its store closed.
 * @throws InvalidInput naming the field that breaks a rule
 */
export function project<State, Payloads extends object = AnyPayloads>(
  store: ProjectionStore,
  definition: ProjectionDefinition<State, Payloads>,
): Projection<State> {
  checkDefinition(definition);
  return new RunningProjection(store, definition);
}

const DEFAULTS: RunDefaults = {
  pageSize: 40_000,
  retries: { attempts: 5, firstDelay: 100, maxDelay: 2_000, certain: 0.5 },
};
/** How soon to look again at what another version does, in milliseconds. */
const WAITED_FOR = 50;

class RunningProjection<State, Payloads extends object> implements Projection<State> {
  readonly name: string;
  readonly version: number;
  readonly #store: ProjectionStore;
  readonly #feed: Feed;
  readonly #readModel: ReadModel;
  readonly #definition: ProjectionDefinition<State, Payloads>;
  readonly #versions: VersionRecord;
  readonly #category: string | undefined;
  readonly #leaseTime: number;
  readonly #run: FeedRun;
  readonly #reading: { readonly passedOver: number };
  readonly #stopping = new AbortController();
  /** Which one of its version it is, once that is known. */
  #build: number | undefined;
  #retired: Promise<void> | undefined;
  /** The build that readers see. */
  #serving: number | undefined;
  #servingReadAt = Number.NEGATIVE_INFINITY;

  constructor(store: ProjectionStore, definition: ProjectionDefinition<State, Payloads>) {
    const { name, version = 1, category, onError, trimmed = 'stop' } = definition;
    const readModel = definition.readModel ?? store.readModels;
    if (readModel === undefined) {
      throw new InvalidInput('readModel', 'must be given for a store without read models');
    }
    const { leaseTime, pageSize, retries } = checkRunOptions(definition, DEFAULTS);
    this.name = name;
    this.version = version;
    this.#store = store;
    this.#definition = definition;
    this.#readModel = readModel;
    this.#versions = new VersionRecord(store.records, name);
    this.#category = category;
    this.#leaseTime = leaseTime;
    const label = `the projection ${name}`;
    const watched = observer(definition);
    const rules = rulesOf(definition, label, watched.notice);
    this.#reading = rules.reading;
    const fold = new Fold(rules, readModel, () => tableOf(name, this.#build ?? version));
    this.#feed = feedOf(store);
    this.#run = new FeedRun(this.#feed, store.records, fold, {
      name,
      label,
      lease: () => leaseOf(name, this.#build ?? version),
      leaseTime,
      pageSize,
      category,
      retries,
      onError: onError ?? 'stop',
      // At once: its handlers go by nothing but their arguments.
      passOver:
        onError === undefined ? (place, cause) => passOver(rules.reading, place, cause) : undefined,
      trimmed,
      observer: watched,
      isSuperseded: () => this.#isSuperseded(),
      onCaughtUp: () => this.#serve(),
    });
    const close = () => this.#stop(new Closed(`the store of the projection ${name}`));
    void this.#run.ended.then(endsWith(store.log, 'reading', close));
  }

  async get(key: string): Promise<State | undefined> {
    const [text] = await this.#readModel.get(await this.#servingTable(), [key]);
    return text === null || text === undefined ? undefined : (JSON.parse(text) as State);
  }

  async *rows(): AsyncGenerator<readonly [key: string, state: State]> {
    for await (const [key, text] of this.#readModel.rows(await this.#servingTable())) {
      yield [key, JSON.parse(text) as State];
    }
  }

  async caughtUp({ signal }: WaitOptions = {}): Promise<void> {
    await orAborted(async () => {
      const end = await this.#run.endOfFeed();
      try {
        await this.#run.reached(end, signal);
      } catch (error) {
        if (this.#run.state !== 'superseded') throw error;
        await this.#servingReached(end, signal);
      }
    }, signal);
  }

  lag(): number {
    return this.#run.lag;
  }

  status(): ProjectionStatus {
    const { state, position, end, lag, skipped, trouble, error } = this.#run;
    const { version } = this;
    const serving = this.#serving === undefined ? undefined : versionOf(this.#serving);
    const { passedOver } = this.#reading;
    return { state, version, serving, position, end, lag, skipped, passedOver, trouble, error };
  }

  ended(): Promise<void> {
    return this.#run.ended;
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  async #stop(why?: Closed): Promise<void> {
    this.#stopping.abort();
    await this.#run.stop(why);
    await this.#retired;
  }

  /** A later version serves: this one has nothing to do any more. */
  async #isSuperseded(): Promise<boolean> {
    const { serving } = await this.#versions.announce(this.#build ?? this.version);
    this.#remember(serving);
    if (versionOf(serving) > this.version) return true;
    this.#build ??= await this.#buildOf(serving);
    return serving > this.#build;
  }

  /** @throws ProjectionChanged */
  async #buildOf(serving: number): Promise<number> {
    const { name, version } = this;
    const { onChange = 'stop' } = this.#definition;
    const fingerprint = await fingerprintOf(this.#definition);
    if (fingerprint === undefined) return versionOf(serving) === version ? serving : version;
    const definitions = new Definitions(this.#store.records, name);
    const build = await definitions.buildFor({ version, fingerprint, onChange, serving });
    const label = `the projection ${name}`;
    if (build === undefined) throw new ProjectionChanged(label, version, 'changed');
    if (serving > build) throw new ProjectionChanged(label, version, 'former');
    if (build !== version) this.#remember((await this.#versions.announce(build)).serving);
    return build;
  }

  /** What this version has is as good as what others have: from now on readers see it. */
  async #serve(): Promise<void> {
    const build = this.#build ?? this.version;
    if (this.#serving !== build) this.#remember((await this.#versions.serve(build)).serving);
    if (this.#serving === build) this.#retired ??= this.#retire(build);
  }

  /** Waits for the version that has taken over, in whatever process it runs. */
  async #servingReached(end: FeedCursor, waiting: AbortSignal | undefined): Promise<void> {
    const { signal } = this.#stopping;
    let before: FeedCursor | undefined;
    let since = 0;
    while (!signal.aborted) {
      waiting?.throwIfAborted();
      const checkpoint = await this.#readModel.checkpoint(await this.#servingTable());
      const kept = checkpoint?.cursor ?? null;
      const { cursor } = await passedBy(this.#feed, kept, this.#category);
      if (this.#feed.reached(cursor, end)) return;
      if (cursor !== before) {
        before = cursor;
        since = performance.now();
      } else if (performance.now() - since > this.#leaseTime) {
        await this.#mustBeAtWork();
        since = performance.now();
      }
      await pause(WAITED_FOR, signal);
    }
    throw new Closed(`the projection ${this.name}`);
  }

  /** @throws ProjectionSuperseded when no process works on what serves */
  async #mustBeAtWork(): Promise<void> {
    const { name, version } = this;
    const serving = this.#serving ?? version;
    const timeToLive = this.#leaseTime;
    const lease = await this.#store.records.lease(leaseOf(name, serving), { timeToLive });
    if (lease === undefined) return;
    await lease.release();
    throw new ProjectionSuperseded(`the projection ${name}`, version, versionOf(serving));
  }

  async #retire(version: number): Promise<void> {
    const { name } = this;
    const [readModel, versions, leaseTime] = [this.#readModel, this.#versions, this.#leaseTime];
    const { records } = this.#store;
    const retiring = { name, version, readModel, records, versions, leaseTime };
    // What stays undone is done by the next process.
    await retireEarlier(retiring, this.#stopping.signal).catch(() => {});
  }

  async #servingTable(): Promise<string> {
    // Old rows stay for as long as somebody may still take them for those that serve.
    if (performance.now() - this.#servingReadAt > this.#leaseTime / 2) {
      const known = await this.#versions.read();
      this.#remember(known?.serving ?? this.version);
    }
    return tableOf(this.name, this.#serving ?? this.version);
  }

  #remember(serving: number): void {
    this.#serving = serving;
    this.#servingReadAt = performance.now();
  }
}
