import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { view } from '../../../../src/client/views/open-view.ts';
import { isPending } from '../../../../src/client/views/pending-events.ts';
import type { EventId } from '../../../../src/event/event-id.ts';
import { defineEvents } from '../../../../src/typed/define-events.ts';
import { type } from '../../../../src/typed/standard-schema.ts';
import { FakeCache, FakeClient, LOG, turn } from './fake-client.ts';

type Items = readonly string[];

const list = {
  initial: [] as Items,
  evolve: (items: Items, event: { readonly payload: unknown; readonly id: EventId }): Items => [
    ...items,
    `${String(event.payload)}${isPending(event) ? '?' : ''}`,
  ],
};
const item = (payload: string) => ({ type: 'Added', payload });

let fake: FakeClient;
beforeEach(() => {
  fake = new FakeClient();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => vi.useRealTimers());

function append(...items: string[]) {
  fake.appends.append({ log: LOG, events: items.map(item) });
  return fake.appends.outbox[fake.appends.outbox.length - 1]!;
}

async function opened(options: object = {}) {
  const seen = view(fake.log, { ...list, ...options });
  const told: Items[] = [];
  const end = seen.subscribe(() => told.push(seen.get().state));
  await turn();
  return { seen, told, end };
}

describe('a view', () => {
  test('is the fold of its log, loaded and current once that has been read', async () => {
    fake.append(item('a'));
    fake.append(item('b'));
    const { seen, told } = await opened();
    expect(seen.get()).toMatchObject({ state: [], isLoaded: false, isCurrent: false });
    const loaded = seen.loaded();
    fake.catchUp();
    expect(seen.get()).toMatchObject({ state: ['a', 'b'], isLoaded: true, isCurrent: true });
    expect(seen.get().cursor).toBe(fake.version);
    expect(seen.get()).toBe(seen.get());
    expect(await loaded).toBe(seen.get());
    expect(told).toEqual([[], ['a', 'b']]);
  });

  test('tells once for all that comes in one turn, and shows it when it is looked at', async () => {
    const evolve = vi.fn(list.evolve);
    const { seen, told } = await opened({ evolve });
    fake.catchUp();
    await turn();
    told.length = 0;
    append('mine');
    for (let count = 0; count < 10_000; count += 1) fake.append(item('x'));
    evolve.mockClear();
    while (fake.deliver(100) > 0);
    expect(evolve).toHaveBeenCalledTimes(10_000);
    expect(seen.get().state.length).toBe(10_001);
    expect(evolve).toHaveBeenCalledTimes(10_001);
    await turn();
    expect(told.length).toBe(1);
  });

  test('takes a pending event out at the place where it comes back, before it is acknowledged', async () => {
    const { seen } = await opened();
    fake.catchUp();
    const [first, second] = [append('one'), append('two')];
    expect(seen.get()).toMatchObject({ state: ['one?', 'two?'], confirmed: [] });
    expect(seen.get().pending).toEqual([
      { type: 'Added', payload: 'one', key: first.key },
      { type: 'Added', payload: 'two', key: second.key },
    ]);
    fake.append(item('other'));
    const appended = fake.take(first);
    fake.deliver(1);
    expect(seen.get().state).toEqual(['other', 'one?', 'two?']);
    fake.deliver(1);
    expect(seen.get().state).toEqual(['other', 'one', 'two?']);
    expect(seen.get().pending.length).toBe(1);
    fake.appends.settle(first, appended);
    expect(seen.get().state).toEqual(['other', 'one', 'two?']);
  });

  test('keeps one that is acknowledged pending until it comes back', async () => {
    const { seen } = await opened();
    fake.catchUp();
    const entry = append('one');
    fake.append(item('other'));
    fake.appends.settle(entry, fake.take(entry));
    expect(seen.get().state).toEqual(['one?']);
    fake.deliver(1);
    expect(seen.get().state).toEqual(['other', 'one?']);
    fake.deliver();
    expect(seen.get()).toMatchObject({ state: ['other', 'one'], pending: [] });
  });

  test('lets the events of an entry come back one by one', async () => {
    const { seen } = await opened();
    fake.catchUp();
    const entry = append('a', 'b');
    const appended = fake.take(entry);
    fake.deliver(1);
    expect(seen.get().state).toEqual(['a', 'b?']);
    fake.appends.settle(entry, appended);
    expect(seen.get().state).toEqual(['a', 'b?']);
    fake.deliver();
    expect(seen.get()).toMatchObject({ state: ['a', 'b'], pending: [] });
  });

  test('does not show one that came back before its tab told of it', async () => {
    const { seen } = await opened();
    fake.catchUp();
    const entry = append('mine');
    fake.appends.outbox.length = 0;
    fake.take(entry);
    const late = view(fake.log, { ...list });
    late.subscribe(() => {});
    await turn();
    fake.catchUp();
    fake.appends.add(entry);
    expect(seen.get().state).toEqual(['mine']);
    expect(late.get().state).toEqual(['mine']);
  });

  test('takes a refused one away, and says why until that is dismissed', async () => {
    const { seen } = await opened();
    fake.catchUp();
    const [first, second] = [append('one'), append('two')];
    fake.appends.refuse(first);
    expect(seen.get().state).toEqual(['two?']);
    expect(seen.get().refusals).toMatchObject([{ entry: { key: first.key } }]);
    await fake.appends.dismiss(seen.get().refusals[0]!);
    expect(seen.get().refusals).toEqual([]);
    fake.appends.settle(second, fake.take(second));
    fake.deliver();
    expect(seen.get().state).toEqual(['two']);
  });

  test('gives pending events IDs of their own, the time of the device and the sender they will have', async () => {
    const seenEvents: Record<string, unknown>[] = [];
    await opened({
      evolve: (state: Items, event: object) => {
        seenEvents.push(event as Record<string, unknown>);
        return state;
      },
      writers: ['account:ada'],
    }).then(({ seen }) => {
      fake.catchUp();
      append('a', 'b');
      append('c');
      seen.get();
    });
    const ids = seenEvents.map(({ id }) => String(id));
    expect(new Set(ids).size).toBe(3);
    expect(ids.every((id) => isPending({ id }))).toBe(true);
    expect(seenEvents[0]).toMatchObject({ at: 5_001, log: LOG, meta: { from: 'account:ada' } });
  });

  test('does not show a pending event of a sender that does not count', async () => {
    const { seen } = await opened({ writers: 'application' });
    fake.catchUp();
    append('mine');
    expect(seen.get()).toMatchObject({ state: [], pending: [{ payload: 'mine' }] });
  });

  test('passes over a pending event that evolve throws for', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const evolve = (items: Items, event: { readonly payload: unknown; readonly id: EventId }) => {
      if (event.payload === 'bad') throw new Error('bad');
      return list.evolve(items, event);
    };
    const { seen } = await opened({ evolve });
    fake.catchUp();
    append('good');
    const bad = append('bad');
    expect(seen.get().state).toEqual(['good?']);
    fake.take(bad);
    fake.deliver();
    expect(seen.get()).toMatchObject({ state: ['good?'], failure: undefined });
    fake.append(item('bad'));
    fake.append(item('after'));
    fake.deliver();
    expect(seen.get().failure).toMatchObject({ code: 'view_failed' });
    expect(fake.followers.size).toBe(0);
    warn.mockRestore();
  });

  test('freezes states, so that who changes them is told', async () => {
    const evolve = (items: string[], { payload }: { readonly payload: unknown }) => {
      items.push(String(payload));
      return items;
    };
    const { seen } = await opened({ evolve, initial: [] });
    fake.append(item('a'));
    fake.deliver();
    expect(seen.get().failure?.message).toContain('changes the state that it is given');
  });

  test('reads events as the definitions of the log say', async () => {
    const events = defineEvents({ Added: { schema: type<string>(), formerly: ['Put'] } });
    const seen = view(fake.log, {
      events,
      initial: [] as Items,
      evolve: (items, event) => [...items, event.type, event.payload],
    });
    seen.subscribe(() => {});
    await turn();
    fake.append({ type: 'Put', payload: 'a' });
    fake.append({ type: 'Other', payload: 'b', meta: { from: 'account:eve' } });
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    fake.catchUp();
    expect(seen.get().state).toEqual(['Added', 'a']);
    warn.mockRestore();
  });
});

describe('a view follows', () => {
  test('while somebody is subscribed, and for a while after that; later it goes on where it was', async () => {
    fake.append(item('a'));
    const { seen, end } = await opened();
    fake.catchUp();
    const again = seen.subscribe(() => {});
    end();
    again();
    vi.advanceTimersByTime(4_000);
    const third = seen.subscribe(() => {});
    vi.advanceTimersByTime(60_000);
    expect(fake.opened).toBe(1);
    third();
    vi.advanceTimersByTime(5_001);
    expect(fake.followers.size).toBe(0);
    expect(seen.get()).toMatchObject({ state: ['a'], isLoaded: true, isCurrent: false });
    fake.append(item('b'));
    append('mine');
    seen.subscribe(() => {});
    await turn();
    fake.catchUp();
    expect(seen.get()).toMatchObject({ state: ['a', 'b', 'mine?'], isCurrent: true });
  });

  test('once for all that ask for the same', async () => {
    const named = { ...list, name: 'items' };
    const one = view(fake.log, named);
    expect(view(fake.log, named)).toBe(one);
    expect(view(fake.log, { ...list, name: 'items' })).toBe(one);
    expect(view(fake.log, { ...list, name: 'items', version: 2 })).not.toBe(one);
    expect(view(fake.log, { ...list })).not.toBe(view(fake.log, { ...list }));
    one.subscribe(() => {})();
    await turn();
    vi.advanceTimersByTime(5_001);
    expect(view(fake.log, named)).not.toBe(one);
  });

  test('is not current while the connection is away, and fails when it is closed', async () => {
    const { seen } = await opened();
    fake.catchUp();
    fake.connection.set({ status: 'offline', reason: 'no network' });
    expect(seen.get()).toMatchObject({ isLoaded: true, isCurrent: false });
    fake.connection.set({ status: 'catching up', reason: 'back' });
    fake.catchUp();
    expect(seen.get().isCurrent).toBe(true);
    fake.connection.set({ status: 'closed', reason: 'close() was called' });
    expect(seen.get().failure).toMatchObject({ code: 'closed' });
    expect(fake.followers.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('loaded says why there is nothing to load', async () => {
    const seen = view(fake.log, list);
    const loaded = seen.loaded();
    expect(seen.loaded()).toBe(loaded);
    await turn();
    for (const { consumer } of fake.followers)
      consumer.failed({ code: 'forbidden', message: 'no' });
    await expect(loaded).rejects.toMatchObject({ code: 'forbidden' });
    const again = seen.loaded();
    await turn();
    fake.catchUp();
    expect(await again).toMatchObject({ isLoaded: true, failure: undefined });
  });

  test('refuses what is not of a client, and names that are none', () => {
    expect(() => view({ name: LOG } as typeof fake.log, list)).toThrow('must be of a client');
    expect(() => view(fake.log, { ...list, name: 'a b' })).toThrow('name must be 1 to 64');
  });
});

describe('events that are gone', () => {
  test('trimmed: it says so and goes on with what is kept', async () => {
    fake.append(item('a'));
    fake.append(item('b'));
    const { seen } = await opened();
    fake.trim(1);
    expect(seen.get()).toMatchObject({ lost: 'trimmed', isCurrent: false });
    fake.catchUp();
    expect(seen.get()).toMatchObject({ state: ['b'], lost: 'trimmed', isCurrent: true });
  });

  test('reset: it begins again from what is kept', async () => {
    for (const name of ['a', 'b']) fake.append(item(name));
    const { seen } = await opened();
    fake.catchUp();
    const entry = append('mine');
    fake.take(entry);
    fake.deliver();
    expect(seen.get().state).toEqual(['a', 'b', 'mine']);
    fake.lose(2);
    expect(seen.get()).toMatchObject({ state: ['mine?'], lost: 'reset', isCurrent: false });
    fake.append(item('c'));
    fake.catchUp();
    expect(seen.get()).toMatchObject({ state: ['a', 'c', 'mine?'], isCurrent: true });
  });

  test('with a snapshot it goes on from there, and asks until there is one', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.9);
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    for (const name of ['a', 'b', 'c']) fake.append(item(name));
    const after = fake.events[1]!.id;
    const snapshot = vi
      .fn()
      .mockRejectedValueOnce(new Error('down'))
      .mockResolvedValueOnce({ state: ['?'], after: 'nonsense' })
      .mockResolvedValue({ state: ['a', 'b'], after });
    const { seen } = await opened({ snapshot });
    fake.trim(1);
    await turn();
    expect(snapshot).toHaveBeenCalledTimes(1);
    expect(fake.followers.size).toBe(0);
    await vi.advanceTimersByTimeAsync(900);
    expect(snapshot).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(1_799);
    expect(snapshot).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(seen.get()).toMatchObject({ state: ['a', 'b'], isLoaded: true, isCurrent: false });
    fake.catchUp();
    expect(seen.get()).toMatchObject({ state: ['a', 'b', 'c'], lost: undefined, isCurrent: true });
    expect(warn).toHaveBeenCalledTimes(1);
    vi.restoreAllMocks();
  });
});

describe('a state from before', () => {
  test('handed over: it is there at once', async () => {
    fake.append(item('a'));
    fake.append(item('b'));
    const handedOver = { state: ['A'], after: fake.events[0]!.id };
    const seen = view(fake.log, { ...list, handedOver });
    expect(seen.get()).toMatchObject({ state: ['A'], isLoaded: true, isCurrent: false });
    seen.subscribe(() => {});
    await turn();
    fake.catchUp();
    expect(seen.get().state).toEqual(['A', 'b']);
  });

  test('kept on the device: at most once a second, and when nobody looks any more', async () => {
    const cache = new FakeCache();
    fake = new FakeClient(cache);
    const named = { name: 'items' };
    fake.append(item('a'));
    const { end } = await opened(named);
    const keep = vi.spyOn(cache, 'keep');
    fake.catchUp();
    for (let count = 0; count < 100; count += 1) {
      fake.append(item('x'));
      fake.deliver();
    }
    vi.advanceTimersByTime(1_000);
    expect(keep).toHaveBeenCalledTimes(1);
    const entry = append('mine');
    fake.take(entry);
    fake.deliver();
    end();
    vi.advanceTimersByTime(5_001);
    expect(keep).toHaveBeenCalledTimes(2);

    const { events } = fake;
    const client = new FakeClient(cache);
    client.events.push(...events);
    client.appends.add(entry);
    fake = client;
    const later = await opened(named);
    expect(later.seen.get()).toMatchObject({ isLoaded: true, isCurrent: false });
    // The entry is not acknowledged; the event is in the state that was kept.
    expect(later.seen.get().state.filter((name) => name.startsWith('mine'))).toEqual(['mine']);
    client.append(item('b'));
    client.catchUp();
    expect(later.seen.get().state.slice(-2)).toEqual(['mine', 'b']);
  });

  test('of another version, it is not looked at', async () => {
    const cache = new FakeCache();
    cache.states.set(`${LOG} items`, {
      state: { state: ['old'] },
      cursor: '5-0' as EventId,
      version: 'x',
    });
    fake = new FakeClient(cache);
    const { seen } = await opened({ name: 'items' });
    expect(seen.get()).toMatchObject({ state: [], isLoaded: false });
  });

  test('what cannot be kept is told of once, and works', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const cache = new FakeCache();
    fake = new FakeClient(cache);
    const evolve = () => ({ look: () => 'a function' });
    const { seen } = await opened({ name: 'odd', initial: {}, evolve });
    for (const name of ['a', 'b']) {
      fake.append(item(name));
      fake.catchUp();
      vi.advanceTimersByTime(1_000);
    }
    expect(seen.get().isCurrent).toBe(true);
    expect(cache.states.size).toBe(0);
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });

  test('is kept when the page is hidden', async () => {
    const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    vi.stubGlobal('document', page);
    vi.stubGlobal('addEventListener', () => {});
    vi.stubGlobal('removeEventListener', () => {});
    const cache = new FakeCache();
    fake = new FakeClient(cache);
    await opened({ name: 'items' });
    fake.catchUp();
    page.visibilityState = 'hidden';
    page.dispatchEvent(new Event('visibilitychange'));
    expect(cache.states.size).toBe(1);
    expect(cache.flushed).toBe(1);
    vi.unstubAllGlobals();
  });
});
