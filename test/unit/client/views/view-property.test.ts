/** Whatever happens in whatever order: what is shown is the fold of what has come, then of what is pending. */
import { array, assert, asyncProperty, constantFrom, integer, record } from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Entry } from '../../../../src/client/outbox/entry.ts';
import { view } from '../../../../src/client/views/open-view.ts';
import { isPending } from '../../../../src/client/views/pending-events.ts';
import type { Appended } from '../../../../src/event/appended.ts';
import type { StoredEvent } from '../../../../src/event/event.ts';
import { isAfter } from '../../../../src/event/event-id.ts';
import { FakeClient, LOG, turn } from './fake-client.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => vi.useRealTimers());

const steps = [
  ...['others', 'own', 'own', 'take', 'take', 'acknowledge', 'acknowledge', 'refuse'],
  ...['deliver', 'deliver', 'deliver', 'live', 'decide again', 'trim', 'lose', 'leave', 'look'],
] as const;

const step = record({ does: constantFrom(...steps), count: integer({ min: 1, max: 3 }) });

interface Acknowledged {
  readonly entry: Entry;
  readonly appended: Appended;
}

/** What there is to be seen, worked out from what has happened and nothing else. */
class Model {
  readonly fake = new FakeClient();
  readonly seen = view(this.fake.log, {
    initial: [] as readonly string[],
    evolve: (items, event) => [...items, `${String(event.payload)}${isPending(event) ? '?' : ''}`],
  });
  /** What has come to the view since the log last began anew. */
  #come: StoredEvent[] = [];
  /** In the log, and not acknowledged. */
  readonly #taken = new Map<string, Appended>();
  #acknowledged: Acknowledged[] = [];
  #leave = this.seen.subscribe(() => {});
  #isFollowing = true;
  #name = 0;

  async do({ does, count }: { readonly does: (typeof steps)[number]; readonly count: number }) {
    const { fake, seen } = this;
    const { outbox } = fake.appends;
    const next = outbox.find(({ key }) => !this.#taken.has(key));
    if (does === 'others') fake.append(...this.#events(count));
    if (does === 'own') fake.appends.append({ log: LOG, events: this.#events(count) });
    if (does === 'take' && next !== undefined) this.#taken.set(next.key, fake.take(next));
    if (does === 'refuse' && next !== undefined) fake.appends.refuse(next);
    if (does === 'decide again' && next !== undefined) {
      const events = fake.appends.marked(next.key, this.#events(count));
      fake.appends.change({ ...next, events });
    }
    const [first] = outbox;
    const appended = first && this.#taken.get(first.key);
    if (does === 'acknowledge' && appended !== undefined) {
      const isKnown = count > 1;
      const answer = isKnown ? appended : { ...appended, ids: [], duplicate: true };
      fake.appends.settle(first!, answer);
      if (this.#isFollowing) this.#acknowledged.push({ entry: first!, appended: answer });
    }
    if (does === 'deliver') this.#deliver(count);
    if (does === 'live') {
      this.#deliver(Number.POSITIVE_INFINITY);
      fake.catchUp();
    }
    if (does === 'trim' && this.#isFollowing) fake.trim(this.#eventsOf(count, 'first'));
    if (does === 'lose' && this.#isFollowing && fake.events.length > 0) {
      fake.lose(this.#eventsOf(count, 'last'));
      this.#come = [];
      this.#acknowledged = [];
      const kept = new Set(fake.events.map(keyOf));
      for (const key of this.#taken.keys()) if (!kept.has(key)) this.#taken.delete(key);
    }
    if (does === 'leave' && this.#isFollowing) {
      this.#leave();
      vi.advanceTimersByTime(5_001);
      this.#isFollowing = false;
    }
    if (does === 'look' && !this.#isFollowing) {
      this.#acknowledged = [];
      this.#leave = seen.subscribe(() => {});
      this.#isFollowing = true;
      await turn();
    }
    if (this.#isFollowing) this.#check();
  }
  async settle() {
    await this.do({ does: 'look', count: 1 });
    while (this.fake.appends.outbox.length > 0) {
      await this.do({ does: 'take', count: 1 });
      await this.do({ does: 'acknowledge', count: 2 });
    }
    await this.do({ does: 'live', count: 1 });
    expect(this.seen.get()).toMatchObject({ pending: [], isCurrent: true });
    const names = this.seen.get().state;
    expect(new Set(names).size).toBe(names.length);
    const kept = this.fake.events.map(({ payload }) => String(payload));
    expect(names.filter((name) => kept.includes(name))).toEqual(kept);
  }

  #events(count: number) {
    return Array.from({ length: count }, () => ({ type: 'Added', payload: `${++this.#name}` }));
  }

  /** How many events the first or last appends of the log have; an append goes as a whole. */
  #eventsOf(appends: number, which: 'first' | 'last'): number {
    const times = this.fake.events.map(({ id }) => id.split('-')[0]);
    const all = [...new Set(times)];
    const some = which === 'first' ? all.slice(0, appends) : all.slice(-appends);
    return times.filter((time) => some.includes(time)).length;
  }

  #deliver(most: number): void {
    if (!this.#isFollowing) return;
    const { cursor } = this.seen.get();
    const events = this.fake.events.filter(({ id }) => isAfter(id, cursor)).slice(0, most);
    this.#come.push(...events);
    this.fake.deliver(most);
  }

  #check(): void {
    const { state, confirmed, pending, cursor } = this.seen.get();
    const come = this.#come.map(({ payload }) => payload);
    this.#acknowledged = this.#acknowledged.filter(({ appended: { ids, version } }) =>
      isAfter(ids.at(-1) ?? version, cursor),
    );
    const own = [...this.#acknowledged.map(({ entry }) => entry), ...this.fake.appends.outbox].sort(
      (one, other) => one.order - other.order,
    );
    const waiting = own.flatMap(({ key, events }) => {
      const back = this.#come.filter((event) => keyOf(event) === key).length;
      return events.slice(back).map(({ payload }) => payload);
    });
    expect(confirmed).toEqual(come);
    expect(pending.map(({ payload }) => payload)).toEqual(waiting);
    expect(state).toEqual([...come, ...waiting.map((payload) => `${String(payload)}?`)]);
  }
}

function keyOf({ meta }: StoredEvent): string | undefined {
  return (meta?.client as { readonly key: string } | undefined)?.key;
}

test('what is shown is what has come, then what is pending', async () => {
  const moves = array(step, { maxLength: 60, size: 'max' });
  await assert(
    asyncProperty(moves, async (all) => {
      const model = new Model();
      await turn();
      for (const one of all) await model.do(one);
      // In the end everything is in the log, once, and seen.
      await model.settle();
    }),
    { numRuns: 500 },
  );
});
