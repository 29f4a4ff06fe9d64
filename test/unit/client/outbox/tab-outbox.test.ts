import { afterEach, describe, expect, it, vi } from 'vitest';
import type { TabMessage, Tabs } from '../../../../src/client/device.ts';
import { MemoryOutbox } from '../../../../src/client/outbox/memory-outbox.ts';
import type { OutboxStore } from '../../../../src/client/outbox/outbox-store.ts';
import { TabOutbox } from '../../../../src/client/outbox/tab-outbox.ts';
import type { EventId } from '../../../../src/event/event-id.ts';
import { eventually } from '../../../support/eventually.ts';
import { LOG } from './scripted-gateway.ts';

const FORBIDDEN = { code: 'forbidden', message: 'no' };
const what = { log: LOG, events: [{ type: 'Said', payload: { text: 'hi' } }] };

afterEach(() => {
  vi.restoreAllMocks();
});

/** The tabs of a browser, whose messages may get lost. */
class Channel {
  isLossy = false;
  readonly #heard = new Set<(message: TabMessage) => void>();

  tab(): Pick<Tabs, 'post' | 'listen'> {
    let mine: ((message: TabMessage) => void) | undefined;
    return {
      post: (message) => {
        const copy = structuredClone(message);
        if (!this.isLossy) for (const heard of this.#heard) if (heard !== mine) heard(copy);
      },
      listen: (heard) => {
        mine = heard;
        this.#heard.add(heard);
        return () => this.#heard.delete(heard);
      },
    };
  }
}

function twoTabs() {
  const store = new MemoryOutbox();
  const channel = new Channel();
  const refused: string[] = [];
  const onRefused = () => refused.push('refused');
  const tabs = [0, 1].map(
    () => new TabOutbox({ store: Promise.resolve(store), hints: channel.tab(), onRefused }),
  );
  return { store, channel, refused, one: tabs[0]!, other: tabs[1]! };
}

const settledAt = (id: string) => {
  const appended = { ids: [id as EventId], version: id as EventId, duplicate: false };
  return { kind: 'settled', appended } as const;
};

describe('an outbox of a tab', () => {
  it('marks the events, and does not see what is done to them afterwards', async () => {
    const { one, store } = twoTabs();
    const payload = { text: 'hi' };
    const { key, kept } = one.append({ log: LOG, events: [{ type: 'Said', payload }] });
    payload.text = 'changed';
    await kept;
    expect(one.of(LOG)[0]!.events).toEqual([
      { type: 'Said', payload: { text: 'hi' }, meta: { client: { id: store.clientId, key } } },
    ]);
    expect(one.clientId).toBe(store.clientId);
  });

  it('keeps the order of what was appended before the store was open', async () => {
    let open: (store: OutboxStore) => void = () => {};
    const store = new Promise<OutboxStore>((resolve) => {
      open = resolve;
    });
    const outbox = new TabOutbox({ store });
    const sendings = [outbox.append(what), outbox.append(what), outbox.append(what)];
    expect(outbox.entries.get()).toEqual([]);
    open(new MemoryOutbox());
    await Promise.all(sendings.map(({ kept }) => kept));
    expect(outbox.of(LOG).map(({ key }) => key)).toEqual(sendings.map(({ key }) => key));
  });

  it('says when it is full, to whoever waits for either promise', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const store = Promise.resolve(new MemoryOutbox({ maxEntries: 0 }));
    const sending = new TabOutbox({ store }).append(what);
    await expect(sending).rejects.toMatchObject({ code: 'outbox_full' });
    await expect(sending.kept).rejects.toMatchObject({ code: 'outbox_full' });
    expect(warn).toHaveBeenCalledOnce();
  });

  it('warns of a refusal that nobody waits for, without what was in it', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const store = new MemoryOutbox();
    const outbox = new TabOutbox({ store: Promise.resolve(store) });
    const { key, kept } = outbox.append(what);
    await kept;
    outbox.finished(outbox.entry(key)!, { kind: 'refused', failure: FORBIDDEN });
    expect(warn.mock.calls).toEqual([[`millrace: append ${key} to ${LOG} was refused: forbidden`]]);
  });

  it('hears of what other tabs do, in order', async () => {
    const { one, other } = twoTabs();
    const heard: string[] = [];
    other.watch(LOG, {
      added: () => heard.push('added'),
      changed: ({ events }) => heard.push(`changed to ${events[0]!.type}`),
      finished: (_, { kind }) => heard.push(kind),
    });
    const sending = one.append(what);
    await sending.kept;
    const entry = one.entry(sending.key)!;
    expect(other.entries.get()).toEqual([
      { key: entry.key, log: LOG, types: ['Said'], at: entry.at },
    ]);
    const changed = { ...entry, events: [{ type: 'Done', payload: 1 }] };
    other.changed(changed);
    expect(one.of(LOG)).toEqual([changed]);
    other.finished(changed, settledAt('1-0'));
    expect(await sending).toEqual(settledAt('1-0').appended);
    expect(heard).toEqual(['added', 'changed to Done', 'settled']);
    expect(one.entries.get()).toEqual([]);
  });

  it('finds out what it has missed, by reading the store', async () => {
    const { one, other, channel, store, refused } = twoTabs();
    channel.isLossy = true;
    const sendings = [one.append(what), one.append(what), one.append(what)];
    await Promise.all(sendings.map(({ kept }) => kept));
    expect(other.of(LOG)).toEqual([]);
    await other.resync();
    expect(other.of(LOG)).toEqual(one.of(LOG));
    await store.finish(sendings[0]!.key, settledAt('1-0'));
    await store.finish(sendings[1]!.key, { kind: 'refused', failure: FORBIDDEN });
    await one.resync();
    expect(await sendings[0]).toEqual(settledAt('1-0').appended);
    await expect(sendings[1]).rejects.toMatchObject({ code: 'forbidden' });
    expect(one.of(LOG)).toHaveLength(1);
    expect(one.refusals.get()).toHaveLength(1);
    expect(refused).toHaveLength(1);
  });

  it('takes no hint that comes late for a new entry', async () => {
    const { one, other, channel, store } = twoTabs();
    const { key, kept } = one.append(what);
    await kept;
    const entry = (await store.finish(key, settledAt('1-0')))!;
    other.finished(entry, settledAt('1-0'));
    channel.tab().post({ kind: 'outbox', hint: { does: 'added', entry } });
    expect(one.of(LOG)).toEqual([]);
    expect(other.of(LOG)).toEqual([]);
  });

  it('forgets a refusal that was looked at, in every tab', async () => {
    const { one, other, store } = twoTabs();
    const { key, kept } = one.append(what);
    await kept;
    const entry = (await store.finish(key, { kind: 'refused', failure: FORBIDDEN }))!;
    one.finished(entry, { kind: 'refused', failure: FORBIDDEN });
    expect(other.refusals.get()).toHaveLength(1);
    await other.dismiss(other.refusals.get()[0]!);
    expect(one.refusals.get()).toEqual([]);
    expect((await store.contents()).refusals).toEqual([]);
  });

  it('reads again a store that failed', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const store = new MemoryOutbox();
    vi.spyOn(store, 'contents').mockRejectedValueOnce(new Error('busy'));
    await store.add({ ...what, key: 'k', at: 1 });
    const outbox = new TabOutbox({ store: Promise.resolve(store) });
    await eventually(() => expect(outbox.of(LOG)).toHaveLength(1));
  });
});
