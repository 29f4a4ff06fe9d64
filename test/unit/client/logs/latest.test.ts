import { expect, test, vi } from 'vitest';
import type { Cache, CachedLog } from '../../../../src/client/device.ts';
import { OpenLog } from '../../../../src/client/logs/client-log.ts';
import { type EventId, ZERO_ID } from '../../../../src/event/event-id.ts';
import { FakeClient } from './fake-client.ts';
import { event, events, LOG } from './model-upstream.ts';

const latestOf = (client: FakeClient, count?: number) =>
  new OpenLog(LOG, undefined, client.context).latest(count);
const payloads = (list: readonly { readonly payload: unknown }[]) =>
  list.map((item) => item.payload);

test('shows the last events, in the order of the log, and keeps them up to date', async () => {
  const client = new FakeClient();
  client.log.append(50);
  const latest = latestOf(client, 3);
  expect(latest.get()).toEqual({ events: [], pending: [], isCurrent: false });
  const changed = vi.fn();
  const end = latest.subscribe(changed);
  await client.settle();
  expect(payloads(latest.get().events)).toEqual([48, 49, 50]);
  expect(latest.get().isCurrent).toBe(true);
  expect(client.upstream.follows).toEqual([{ last: 3 }]);
  client.log.append(2);
  await client.settle();
  expect(payloads(latest.get().events)).toEqual([50, 51, 52]);
  expect(latest.get()).toBe(latest.get());
  end();
  expect(latest.get().isCurrent).toBe(false);
  expect(payloads(latest.get().events)).toEqual([50, 51, 52]);
});

test('ten thousand events at once are told once', async () => {
  const client = new FakeClient();
  const latest = latestOf(client, 100);
  const changed = vi.fn();
  latest.subscribe(changed);
  await client.settle();
  changed.mockClear();
  const before = latest.get();
  client.channels.receiver.events(LOG, events(1, 10_000));
  await client.settle();
  expect(changed).toHaveBeenCalledTimes(1);
  expect(latest.get().events).toHaveLength(100);
  expect(before.events).toEqual([]);
});

test('one page for each log and count', () => {
  const client = new FakeClient();
  const log = new OpenLog(LOG, undefined, client.context);
  expect(log.latest()).toBe(log.latest(100));
  expect(log.latest()).not.toBe(log.latest(10));
  expect(() => log.latest(0)).toThrow('count must be a whole number from 1');
});

test("one's own are pending until they come back, whichever of answer and event is first", async () => {
  const client = new FakeClient();
  const latest = latestOf(client);
  latest.subscribe(() => {});
  client.add('before', { type: 'Said', payload: 'a' });
  await client.settle();
  expect(payloads(latest.get().pending)).toEqual(['a']);

  const entry = client.add('two', { type: 'Said', payload: 'b' }, { type: 'Said', payload: 'c' });
  expect(payloads(latest.get().pending)).toEqual(['a', 'b', 'c']);
  client.channels.receiver.events(LOG, [event(1, 'b', { client: { id: 'me', key: 'two' } })]);
  expect(payloads(latest.get().events)).toEqual(['b']);
  expect(payloads(latest.get().pending)).toEqual(['a', 'c']);

  const ids = ['1-0', '2-0'] as EventId[];
  const appended = { ids, version: '2-0' as EventId, duplicate: false };
  for (const watcher of client.watchers) watcher.finished(entry, { kind: 'settled', appended });
  expect(payloads(latest.get().pending)).toEqual(['a', 'c']);
  client.channels.receiver.events(LOG, [event(2, 'c', { client: { id: 'me', key: 'two' } })]);
  expect(payloads(latest.get().events)).toEqual(['b', 'c']);
  expect(payloads(latest.get().pending)).toEqual(['a']);

  const failure = { code: 'forbidden', message: 'no' };
  for (const watcher of client.watchers) {
    watcher.finished(client.entries[0]!, { kind: 'refused', failure });
  }
  expect(latest.get().pending).toEqual([]);
});

test('what was cached is shown until the log has been read', async () => {
  const cached: CachedLog = { after: ZERO_ID, events: events(1, 5), cursor: '5-0' as EventId };
  const cache = { log: async () => cached, add: () => {} } as unknown as Cache;
  const client = new FakeClient(cache);
  client.log.append(20);
  const latest = latestOf(client, 3);
  const shown: unknown[][] = [];
  latest.subscribe(() => shown.push([latest.get().isCurrent, ...payloads(latest.get().events)]));
  for (let tick = 0; tick < 30; tick += 1) await Promise.resolve();
  expect(shown.at(-1)).toEqual([false, 3, 4, 5]);
  await client.settle();
  expect(shown.at(-1)).toEqual([true, 18, 19, 20]);
  expect(client.upstream.follows).toEqual([{ last: 3 }]);
});

test('a log that loses its end is shown as it was, then as it is', async () => {
  const client = new FakeClient();
  client.log.append(5);
  const latest = latestOf(client, 3);
  latest.subscribe(() => {});
  await client.settle();
  client.log.lose(2);
  client.upstream.reconnect();
  client.upstream.step();
  expect(latest.get()).toMatchObject({ isCurrent: false, lost: 'reset' });
  expect(payloads(latest.get().events)).toEqual([3, 4, 5]);
  await client.settle();
  expect(latest.get()).toMatchObject({ isCurrent: true, lost: 'reset' });
  expect(payloads(latest.get().events)).toEqual([1, 2, 3]);
});

test('is not current while the connection is not, and says why a log is not followed', async () => {
  const client = new FakeClient();
  const latest = latestOf(client);
  const changed = vi.fn();
  latest.subscribe(changed);
  await client.settle();
  expect(latest.get().isCurrent).toBe(true);
  client.connection.set({ status: 'offline', reason: 'a tunnel' });
  expect(latest.get().isCurrent).toBe(false);
  client.channels.receiver.failed(LOG, { code: 'forbidden', message: 'not yours' });
  await client.settle();
  expect(latest.get().failure).toMatchObject({ code: 'forbidden' });
});
