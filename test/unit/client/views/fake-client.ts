/**
 * A client for tests of views, without a connection: one log, which says what the test makes it say, and
 * an outbox that settles what the test settles. Its events come to those who follow when the test says so.
 */

import type { Client, ClientLog, Sending } from '../../../../src/client/client-api.ts';
import { keepContext } from '../../../../src/client/client-context.ts';
import type { ConnectionState } from '../../../../src/client/connection/state.ts';
import type { Cache, CachedState } from '../../../../src/client/device.ts';
import { Refused } from '../../../../src/client/errors.ts';
import type { Channels, Consumer } from '../../../../src/client/logs/consumer.ts';
import type { Appends, OutboxWatcher, Redecision } from '../../../../src/client/outbox/appends.ts';
import type { Entry, Outcome, Refusal } from '../../../../src/client/outbox/entry.ts';
import { Changing } from '../../../../src/client/readable.ts';
import type { Appended } from '../../../../src/event/appended.ts';
import {
  DEFAULT_EVENT_LIMITS,
  encodeEvents,
  type NewEvent,
  type StoredEvent,
  storedEvent,
} from '../../../../src/event/event.ts';
import { type EventId, isAfter, makeEventId, ZERO_ID } from '../../../../src/event/event-id.ts';
import { parseLogName } from '../../../../src/event/log-name.ts';
import type { AnyPayloads } from '../../../../src/typed/event-types.ts';

export const LOG = parseLogName('list:1');
const CLIENT_ID = 'this-client';

interface Follower {
  readonly consumer: Consumer;
  cursor: EventId;
}

export class FakeClient {
  readonly connection = new Changing<ConnectionState>({ status: 'live', reason: 'it answers' });
  readonly account = new Changing<string | undefined>('ada');
  readonly appends = new FakeAppends();
  readonly followers = new Set<Follower>();
  /** How often the log was followed. */
  opened = 0;
  /** What the log has. */
  readonly events: StoredEvent[] = [];
  readonly client: Client;
  readonly log: ClientLog<AnyPayloads>;
  #time = 1_000;

  constructor(cache?: Cache) {
    const { connection, appends, account } = this;
    const log = { name: LOG } as ClientLog<AnyPayloads>;
    const client = {
      ...{ connection, account, outbox: appends },
      log: (name?: string) => {
        if (name !== undefined || account.get() !== undefined) return log;
        throw new Error('the account is not known');
      },
    } as unknown as Client;
    const channels: Channels = {
      open: (_log, start, consumer) => {
        const follower = { consumer, cursor: (start as { after: EventId }).after };
        this.opened += 1;
        this.followers.add(follower);
        return () => this.followers.delete(follower);
      },
    };
    const pages = { page: () => Promise.reject(new Error('no pages')) };
    const context = { client, channels, appends, pages, account, cache: Promise.resolve(cache) };
    keepContext(log, context);
    keepContext(client, context);
    this.client = client;
    this.log = log;
  }

  get version(): EventId {
    return this.events[this.events.length - 1]?.id ?? ZERO_ID;
  }

  /** Somebody appends. Nobody is told of it yet. */
  append(...events: readonly NewEvent[]): EventId[] {
    this.#time = Math.max(this.#time, Number(this.version.split('-')[0])) + 1;
    const encoded = encodeEvents(events, DEFAULT_EVENT_LIMITS);
    const ids = encoded.map((_, index) => makeEventId(this.#time, index));
    this.events.push(...encoded.map((event, index) => storedEvent(ids[index]!, event)));
    return ids;
  }

  /** The log gets an entry of this client, whatever becomes of the answer. */
  take(entry: Entry): Appended {
    const ids = this.append(
      ...entry.events.map((event) => ({ ...event, meta: { ...event.meta, from: 'account:ada' } })),
    );
    return { ids, version: this.version, duplicate: false };
  }

  /** Up to `most` events come to those who follow. @returns how many */
  deliver(most = Number.POSITIVE_INFINITY): number {
    let count = 0;
    for (const follower of [...this.followers]) {
      const events = this.events.filter(({ id }) => isAfter(id, follower.cursor)).slice(0, most);
      if (events.length === 0) continue;
      count += events.length;
      follower.cursor = events[events.length - 1]!.id;
      follower.consumer.events(events);
    }
    return count;
  }

  /** All events come, and then everybody is at the end. */
  catchUp(): void {
    this.deliver();
    for (const { consumer } of [...this.followers]) consumer.live(this.version);
  }

  /** The first events are not kept any more. */
  trim(count: number): void {
    const last = this.events.splice(0, count).pop()?.id;
    if (last === undefined) return;
    for (const follower of [...this.followers]) {
      if (!isAfter(last, follower.cursor)) continue;
      follower.cursor = last;
      follower.consumer.trimmed(last);
    }
  }

  /** The log loses its last events. */
  lose(count: number): void {
    this.events.splice(Math.max(0, this.events.length - count));
    for (const follower of [...this.followers]) {
      follower.cursor = ZERO_ID;
      follower.consumer.reset(this.version);
    }
  }
}

class FakeAppends implements Appends {
  readonly clientId = CLIENT_ID;
  readonly entries = new Changing<
    Appends['entries'] extends { get(): infer Value } ? Value : never
  >([]);
  readonly refusals = new Changing<readonly Refusal[]>([]);
  readonly outbox: Entry[] = [];
  readonly redeciders = new Map<string, Parameters<Appends['redecide']>[1]>();
  readonly #watchers = new Set<OutboxWatcher>();
  readonly #promised = new Map<string, (outcome: Outcome) => void>();
  #order = 0;

  append(what: Parameters<Appends['append']>[0]): Sending {
    this.#order += 1;
    const key = `key-${this.#order}`;
    const promise = new Promise<Appended>((resolve, reject) => {
      this.#promised.set(key, (outcome) => {
        if (outcome.kind === 'settled') resolve(outcome.appended);
        else reject(new Refused(outcome.failure));
      });
    });
    promise.catch(() => {});
    const order = this.#order;
    this.add({
      ...{ ...what, key, order, at: 5_000 + order },
      events: this.marked(key, what.events),
      producer: { id: CLIENT_ID, epoch: 0, seq: order },
    });
    return Object.assign(promise, { key, kept: Promise.resolve() });
  }

  marked(key: string, events: readonly NewEvent[]): NewEvent[] {
    return events.map((event) => ({
      ...event,
      meta: { ...event.meta, client: { id: CLIENT_ID, key } },
    }));
  }

  add(entry: Entry): void {
    this.outbox.push(entry);
    for (const watcher of [...this.#watchers]) watcher.added(entry);
  }

  of(): readonly Entry[] {
    return [...this.outbox];
  }

  watch(_log: string, watcher: OutboxWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  redecide(decider: string, how: Parameters<Appends['redecide']>[1]): () => void {
    this.redeciders.set(decider, how);
    return () => this.redeciders.delete(decider);
  }

  async dismiss(refusal: Refusal): Promise<void> {
    this.refusals.set(this.refusals.get().filter((other) => other !== refusal));
  }

  /** The command is decided again, and kept as it is then. */
  async decideAgain(entry: Entry, actual?: EventId): Promise<Redecision> {
    const decision = await this.redeciders.get(entry.command!.decider)!(entry, actual);
    if ('refused' in decision) this.finish(entry, { kind: 'refused', failure: decision.refused });
    else this.change({ ...entry, events: this.marked(entry.key, decision.events) });
    return decision;
  }

  change(entry: Entry): void {
    const place = this.outbox.findIndex(({ key }) => key === entry.key);
    this.outbox[place] = entry;
    for (const watcher of [...this.#watchers]) watcher.changed(entry);
  }

  finish(entry: Entry, outcome: Outcome): void {
    const place = this.outbox.findIndex(({ key }) => key === entry.key);
    this.outbox.splice(place, 1);
    for (const watcher of [...this.#watchers]) watcher.finished(entry, outcome);
    if (outcome.kind === 'refused') {
      const refusal = { entry, failure: outcome.failure, at: 0 };
      this.refusals.set([...this.refusals.get(), refusal]);
    }
    this.#promised.get(entry.key)?.(outcome);
  }

  refuse(entry: Entry, code = 'forbidden'): void {
    this.finish(entry, { kind: 'refused', failure: { code, message: 'no' } });
  }

  settle(entry: Entry, appended: Appended): void {
    this.finish(entry, { kind: 'settled', appended });
  }
}

/** Keeps states as a browser's database would: as copies. */
export class FakeCache implements Cache {
  readonly states = new Map<string, CachedState>();
  flushed = 0;

  async log(): Promise<undefined> {}

  add(): void {}

  async state(name: string): Promise<CachedState | undefined> {
    return structuredClone(this.states.get(name));
  }

  keep(name: string, state: CachedState): void {
    this.states.set(name, structuredClone(state));
  }

  drop(name: string): void {
    this.states.delete(name);
  }

  async flush(): Promise<void> {
    this.flushed += 1;
  }
}

/** All microtasks that are waiting, and those that they lead to. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
