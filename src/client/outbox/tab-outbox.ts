/**
 * The outbox as one tab sees it: a mirror of the store, with the entries of all tabs, and the
 * promises of its own. What other tabs do it hears by hints, which may get lost: after `resync` it is
 * as the store is.
 */
import type { Appended } from '../../event/appended.ts';
import type { LogName } from '../../event/log-name.ts';
import { onlyTold, textOf } from '../../event/thrown.ts';
import type { Failure } from '../../protocol/problem.ts';
import type { PendingAppend, Sending } from '../client-api.ts';
import type { TabMessage, Tabs } from '../device.ts';
import { Refused } from '../errors.ts';
import { Changing } from '../readable.ts';
import type { Appends, OutboxWatcher, Redecision, ToAppend } from './appends.ts';
import type { Entry, Outcome, Refusal } from './entry.ts';
import { randomId, withMark } from './mark.ts';
import { MAX_OUTCOMES, MAX_REFUSALS, type OutboxStore } from './outbox-store.ts';

export interface TabOutboxOptions {
  /** What is appended before it is open waits, in order. */
  readonly store: Promise<OutboxStore>;
  readonly hints?: Pick<Tabs, 'post' | 'listen'> | undefined;
  /** Told in each tab. Default: a warning on the console. */
  readonly onRefused?: ((refusal: Refusal) => void) | undefined;
}

export type Redecide = Parameters<Appends['redecide']>[1];

/** The one who sends is told that there may be something to do. */
export interface Worker {
  /** Undefined: in any log. */
  wake(log?: LogName): void;
  /** Something has come about that was waited for. */
  hurry(): void;
}

interface Promised {
  settle(appended: Appended): void;
  refuse(error: unknown): void;
}

type Hint =
  | { readonly does: 'added'; readonly entry: Entry }
  | { readonly does: 'changed'; readonly entry: Entry }
  | { readonly does: 'finished'; readonly entry: Entry; readonly outcome: Outcome }
  | { readonly does: 'dismissed'; readonly key: string };

const HINT = 'outbox';
/** Until a store that has failed is asked again, in milliseconds. */
const STORE_REST = 1_000;

export class TabOutbox implements Appends {
  readonly entries = new Changing<readonly PendingAppend[]>([]);
  readonly refusals = new Changing<readonly Refusal[]>([]);
  /** Set by whoever sends in this tab. */
  worker: Worker | undefined;
  readonly #store: Promise<OutboxStore>;
  readonly #hints: TabOutboxOptions['hints'];
  readonly #onRefused: (refusal: Refusal) => void;
  readonly #unlisten: (() => void) | undefined;
  /** In their order. */
  #mirror = new Map<string, Entry>();
  /** Keys of the last that were finished: a hint may come late. */
  readonly #finished = new Set<string>();
  readonly #promised = new Map<string, Promised>();
  readonly #watchers = new Map<LogName, Set<OutboxWatcher>>();
  readonly #redeciders = new Map<string, Redecide>();
  #clientId = '';
  #isClosed = false;
  /** What those are told that wait in vain. */
  #ending: Failure | undefined;

  constructor({ store, hints, onRefused = warn }: TabOutboxOptions) {
    this.#store = store;
    this.#hints = hints;
    this.#onRefused = onlyTold('onRefused', onRefused);
    this.#unlisten = hints?.listen((message) => this.#hear(message));
    void this.resync();
  }

  /** Empty until the store is open. */
  get clientId(): string {
    return this.#clientId;
  }

  append({ events, ...rest }: ToAppend): Sending {
    const key = randomId();
    const at = Date.now();
    // The caller may change its own afterwards.
    const what = structuredClone({ ...rest, events });
    let promised: Promised | undefined;
    const settled = new Promise<Appended>((settle, refuse) => {
      promised = { settle, refuse };
      this.#promised.set(key, { settle, refuse });
    });
    // Added in the order of the calls, without waiting for each other.
    const kept = this.#store.then(async (store) => {
      const marked = withMark(what.events, { id: store.clientId, key });
      const entry = await store.add({ ...what, events: marked, key, at });
      this.#added(entry);
      this.#post({ does: 'added', entry });
      if (this.#ending !== undefined) this.#leave(this.#ending);
    });
    kept.catch((error: unknown) => {
      this.#promised.delete(key);
      promised?.refuse(error);
      console.warn(`millrace: an append to ${rest.log} was not kept: ${textOf(error)}`);
    });
    // Whoever does not wait for it is told by `onRefused`.
    settled.catch(() => {});
    return Object.assign(settled, { key, kept });
  }

  of(log: LogName): readonly Entry[] {
    return [...this.#mirror.values()].filter((entry) => entry.log === log);
  }

  entry(key: string): Entry | undefined {
    return this.#mirror.get(key);
  }

  all(): readonly Entry[] {
    return [...this.#mirror.values()];
  }

  watch(log: LogName, watcher: OutboxWatcher): () => void {
    // Of its own, so that one watcher may watch twice and end each by itself.
    const own = boundOf(watcher);
    const watchers = this.#watchers.get(log) ?? new Set();
    this.#watchers.set(log, watchers.add(own));
    return () => {
      watchers.delete(own);
      if (watchers.size === 0 && this.#watchers.get(log) === watchers) this.#watchers.delete(log);
    };
  }

  redecide(
    decider: string,
    how: (entry: Entry, actual: Entry['expected']) => Promise<Redecision>,
  ): () => void {
    this.#redeciders.set(decider, how);
    this.worker?.hurry();
    return () => {
      if (this.#redeciders.get(decider) === how) this.#redeciders.delete(decider);
    };
  }

  redeciderOf(decider: string): Redecide | undefined {
    return this.#redeciders.get(decider);
  }

  async dismiss(refusal: Refusal): Promise<void> {
    const { key } = refusal.entry;
    await (await this.#store).dismiss(key);
    this.#dismissed(key);
    this.#post({ does: 'dismissed', key });
  }

  /** Told by the sender of this tab: the entry is another one now. */
  changed(entry: Entry): void {
    this.#changed(entry);
    this.#post({ does: 'changed', entry });
  }

  /** Told by the sender of this tab. */
  finished(entry: Entry, outcome: Outcome): void {
    this.#finish(entry, outcome);
    this.#post({ does: 'finished', entry, outcome });
  }

  /** Makes the mirror what the store is, whatever was missed. Never rejects. */
  async resync(): Promise<void> {
    while (!this.#isClosed) {
      try {
        const store = await this.#store;
        this.#clientId = store.clientId;
        await this.#read(store);
        return;
      } catch (error) {
        console.warn(`millrace: the outbox cannot be read: ${textOf(error)}`);
        await new Promise((resolve) => setTimeout(resolve, STORE_REST));
      }
    }
  }

  /** @param isLasting whether what is kept is still there for the next client */
  close(isLasting = false): void {
    this.#isClosed = true;
    this.#unlisten?.();
    this.#ending ??= { code: 'closed', message: isLasting ? STAYS : IS_LOST };
    this.#leave(this.#ending);
  }

  /** What is not in the store yet is still told how that goes. */
  #leave(failure: Failure): void {
    for (const [key, { refuse }] of this.#promised) {
      if (!this.#mirror.has(key)) continue;
      this.#promised.delete(key);
      refuse(new Refused(failure));
    }
  }

  async #read(store: OutboxStore): Promise<void> {
    const before = new Map(this.#mirror);
    const { entries, refusals } = await store.contents();
    // What has changed here meanwhile is newer than what was read.
    for (const entry of entries) {
      const known = before.get(entry.key);
      if (known === undefined) this.#added(entry);
      else if (this.#mirror.get(entry.key) === known) this.#changed(entry);
      before.delete(entry.key);
    }
    this.refusals.set(refusals);
    // What is left was in the store once, so somebody has finished it.
    for (const entry of before.values()) {
      if (this.#mirror.has(entry.key)) {
        this.#finish(entry, (await store.outcome(entry.key)) ?? FORGOTTEN);
      }
    }
  }

  #hear(message: TabMessage): void {
    if (message.kind !== HINT) return;
    const hint = message.hint as Hint;
    if (hint.does === 'added') this.#added(hint.entry);
    else if (hint.does === 'changed') this.#changed(hint.entry);
    else if (hint.does === 'finished') this.#finish(hint.entry, hint.outcome);
    else if (hint.does === 'dismissed') this.#dismissed(hint.key);
  }

  #post(hint: Hint): void {
    this.#hints?.post({ kind: HINT, hint });
  }

  #added(entry: Entry): void {
    const { key, log, order } = entry;
    if (this.#mirror.has(key) || this.#finished.has(key)) return;
    const isLast = this.all().every((other) => other.order < order);
    this.#mirror.set(key, entry);
    // Hints of several tabs come in any order.
    if (!isLast) {
      this.#mirror = new Map([...this.#mirror].sort(([, a], [, b]) => a.order - b.order));
    }
    this.#publish();
    this.#tell(log, (watcher) => watcher.added(entry));
    this.worker?.wake(log);
  }

  #changed(entry: Entry): void {
    const { key, log } = entry;
    const known = this.#mirror.get(key);
    if (known === undefined) return;
    this.#mirror.set(key, entry);
    if (JSON.stringify(known.events) === JSON.stringify(entry.events)) return;
    this.#publish();
    this.#tell(log, (watcher) => watcher.changed(entry));
  }

  #finish({ key }: Entry, outcome: Outcome): void {
    if (this.#finished.has(key)) return;
    this.#finished.add(key);
    if (this.#finished.size > MAX_OUTCOMES) {
      this.#finished.delete(this.#finished.values().next().value as string);
    }
    const entry = this.#mirror.get(key);
    const promised = this.#promised.get(key);
    this.#mirror.delete(key);
    this.#promised.delete(key);
    if (outcome.kind === 'settled') promised?.settle(outcome.appended);
    else promised?.refuse(new Refused(outcome.failure));
    if (entry === undefined) return;
    if (outcome.kind === 'refused')
      this.#refused({ entry, failure: outcome.failure, at: Date.now() });
    this.#publish();
    this.#tell(entry.log, (watcher) => watcher.finished(entry, outcome));
    if (this.all().some(({ dependsOn }) => dependsOn === key)) this.worker?.wake();
  }

  #refused(refusal: Refusal): void {
    const { key } = refusal.entry;
    const others = this.refusals.get().filter(({ entry }) => entry.key !== key);
    this.refusals.set([...others, refusal].slice(-MAX_REFUSALS));
    this.#onRefused(refusal);
  }

  #dismissed(key: string): void {
    this.refusals.set(this.refusals.get().filter(({ entry }) => entry.key !== key));
  }

  #tell(log: LogName, tell: (watcher: OutboxWatcher) => void): void {
    for (const watcher of [...(this.#watchers.get(log) ?? [])]) tell(watcher);
  }

  #publish(): void {
    this.entries.set(
      this.all().map(({ key, log, events, at }) => ({
        key,
        log,
        types: events.map(({ type }) => type),
        at,
      })),
    );
  }
}

const STAYS =
  'the client was closed: the append is kept, and is sent by the next client of this account on this device';
const IS_LOST =
  'the client was closed, and nothing is kept: whether the append was made is not known; read the log, or give `persist`';

const FORGOTTEN: Outcome = {
  kind: 'refused',
  failure: {
    code: 'outcome_unknown',
    message:
      'another tab has finished this append so long ago that it is not known how; read the log',
  },
};

function boundOf(watcher: OutboxWatcher): OutboxWatcher {
  return {
    added: (entry) => watcher.added(entry),
    changed: (entry) => watcher.changed(entry),
    finished: (entry, outcome) => watcher.finished(entry, outcome),
  };
}

function warn({ entry, failure }: Refusal): void {
  console.warn(`millrace: append ${entry.key} to ${entry.log} was refused: ${failure.code}`);
}
