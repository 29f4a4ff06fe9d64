/** What can happen to a database in a browser, beside what the contract of outboxes says. */
import {
  IDBDatabase as FakeDatabase,
  IDBObjectStore as FakeObjectStore,
  forceCloseDatabase,
  IDBFactory,
} from 'fake-indexeddb';
import { afterEach, expect, test, vi } from 'vitest';
import { indexedDb } from '../../../../src/client/indexeddb/indexeddb.ts';
import { databaseName } from '../../../../src/client/indexeddb/layout.ts';
import type { NewEntry } from '../../../../src/client/outbox/entry.ts';
import { randomId } from '../../../../src/client/outbox/mark.ts';
import { StoredEvent } from '../../../../src/event/event.ts';
import { type EventId, ZERO_ID } from '../../../../src/event/event-id.ts';
import type { LogName } from '../../../../src/event/log-name.ts';

const GATEWAY = 'https://events.example';
const LOG = 'room:5' as LogName;
const event = new StoredEvent('1-0' as EventId, 'Said', 'text', 'hi');

function newEntry(log = LOG): NewEntry {
  return { key: randomId(), log, events: [{ type: 'Said', payload: 'hi' }], at: 1 };
}

function open(factory: IDBFactory, account = '1') {
  return indexedDb({ factory }).open(GATEWAY, account);
}

/** The next so many calls end their transaction for want of room, as browsers do: after the request. */
function failing(method: 'add' | 'put', name: string, times: number, on: string) {
  const real = FakeObjectStore.prototype[method];
  let left = times;
  return vi.spyOn(FakeObjectStore.prototype, method).mockImplementation(function (
    this: IDBObjectStore,
    ...parameters
  ) {
    const request = real.apply(this, parameters);
    if (this.name === on && left > 0) {
      left -= 1;
      (this.transaction as unknown as { _abort(name: string): void })._abort(name);
    }
    return request;
  });
}

type Opened = InstanceType<typeof FakeDatabase>;

/** What is open, to be closed as a browser does when a person clears its storage. */
function watchOpened(): ReadonlySet<Opened> {
  const opened = new Set<Opened>();
  const real = FakeDatabase.prototype.transaction;
  vi.spyOn(FakeDatabase.prototype, 'transaction').mockImplementation(function (
    this: Opened,
    ...parameters
  ) {
    opened.add(this);
    return real.apply(this, parameters);
  });
  return opened;
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('what is kept is there after a reload, for this account and gateway alone', async () => {
  const factory = new IDBFactory();
  const device = await open(factory);
  const entry = await device.outbox.add(newEntry());
  device.cache!.add(LOG, [event], event.id, { after: ZERO_ID });
  device.cache!.keep('view', { state: 1, cursor: event.id, version: '1' });
  await device.cache!.flush();
  device.close();
  const again = await open(factory);
  expect((await again.outbox.contents()).entries).toEqual([entry]);
  expect(again.outbox.clientId).toBe(device.outbox.clientId);
  expect((await again.cache!.log(LOG))?.events).toEqual([event]);
  const others = [
    await open(factory, '2'),
    await indexedDb({ factory }).open('https://other.example', '1'),
  ];
  for (const { outbox, cache } of others) {
    expect((await outbox.contents()).entries).toEqual([]);
    expect(outbox.clientId).not.toBe(device.outbox.clientId);
    expect(await cache!.log(LOG)).toBeUndefined();
    expect(await cache!.state('view')).toBeUndefined();
  }
});

test('a closed device keeps nothing any more', async () => {
  const device = await open(new IDBFactory());
  device.close();
  await expect(device.outbox.add(newEntry())).rejects.toThrow('was closed');
  await device.cache!.flush();
});

test('forget removes all of it, also under the hands of another tab', async () => {
  const factory = new IDBFactory();
  const [device, other] = [await open(factory), await open(factory)];
  const kept = await open(factory, '2');
  await device.outbox.add(newEntry());
  await other.outbox.add(newEntry());
  await device.forget();
  expect((await factory.databases()).map(({ name }) => name)).toEqual([databaseName(GATEWAY, '2')]);
  await expect(other.outbox.add(newEntry())).rejects.toMatchObject({ code: 'closed' });
  await expect(other.outbox.contents()).rejects.toThrow('was removed');
  await kept.outbox.add(newEntry());
  const fresh = await open(factory);
  expect((await fresh.outbox.contents()).entries).toEqual([]);
  expect(fresh.outbox.clientId).not.toBe(device.outbox.clientId);
});

test('forget does not wait for a tab that does not answer, and leaves it nothing', async () => {
  const factory = new IDBFactory();
  const device = await open(factory);
  await device.outbox.add(newEntry());
  const frozen = await new Promise<IDBDatabase>((resolve) => {
    const request = factory.open(databaseName(GATEWAY, '1'));
    request.onsuccess = () => resolve(request.result);
  });
  const found = new Promise<unknown[]>((resolve) => {
    frozen.onversionchange = () => {
      const request = frozen.transaction(['entries'], 'readonly').objectStore('entries').getAll();
      request.onsuccess = () => resolve(request.result);
    };
  });
  await device.forget();
  expect(await found).toEqual([]);
  frozen.close();
});

test('a database that the browser has closed is opened again', async () => {
  const factory = new IDBFactory();
  const opened = watchOpened();
  const device = await open(factory);
  const entry = await device.outbox.add(newEntry());
  for (const database of opened) forceCloseDatabase(database as never);
  expect((await device.outbox.contents()).entries).toEqual([entry]);
  expect((await device.outbox.add(newEntry())).producer.seq).toBe(1);
});

test('one that was removed with all it had begins under another producer', async () => {
  const factory = new IDBFactory();
  const opened = watchOpened();
  const device = await open(factory);
  await device.outbox.add(newEntry());
  for (const database of opened) forceCloseDatabase(database as never);
  await new Promise((resolve) => {
    factory.deleteDatabase(databaseName(GATEWAY, '1')).onsuccess = resolve;
  });
  const { producer } = await device.outbox.add(newEntry());
  expect(producer.seq).toBe(0);
  expect(producer.id).not.toBe(device.outbox.clientId);
});

test('a transaction that is lost in the middle leaves nothing, and is repeated', async () => {
  const device = await open(new IDBFactory());
  await device.outbox.add(newEntry());
  failing('put', 'UnknownError', 1, 'places');
  const entry = await device.outbox.add(newEntry());
  expect(entry.producer.seq).toBe(1);
  const { entries } = await device.outbox.contents();
  expect(entries.map(({ producer }) => producer.seq)).toEqual([0, 1]);
});

test('a transaction that fails in the middle uses up neither seq nor room', async () => {
  const factory = new IDBFactory();
  const device = await indexedDb({ factory, maxOutboxEntries: 2 }).open(GATEWAY, '1');
  const first = await device.outbox.add(newEntry());
  failing('put', 'DataError', 10, 'outbox');
  await expect(device.outbox.add(newEntry())).rejects.toMatchObject({ name: 'DataError' });
  const refused = { kind: 'refused', failure: { code: 'forbidden', message: '' } } as const;
  await expect(device.outbox.finish(first.key, refused)).rejects.toBeDefined();
  vi.restoreAllMocks();
  expect(await device.outbox.contents()).toEqual({ entries: [first], refusals: [] });
  expect(await device.outbox.outcome(first.key)).toBeUndefined();
  expect((await device.outbox.add(newEntry())).producer.seq).toBe(1);
});

test('where there is no room, the cache goes before an append is refused', async () => {
  const device = await open(new IDBFactory());
  device.cache!.add(LOG, [event], event.id, { after: ZERO_ID });
  await device.cache!.flush();
  failing('add', 'QuotaExceededError', 1, 'entries');
  await device.outbox.add(newEntry());
  expect(await device.cache!.log(LOG)).toBeUndefined();
  vi.restoreAllMocks();
  failing('add', 'QuotaExceededError', 2, 'entries');
  const full = { code: 'outbox_full', message: expect.stringContaining('no more room') };
  await expect(device.outbox.add(newEntry())).rejects.toMatchObject(full);
  expect((await device.outbox.contents()).entries).toHaveLength(1);
});

test('a browser without a database keeps things in memory, and says so once', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.stubGlobal('indexedDB', undefined);
  const persist = indexedDb({ maxOutboxEntries: 1 });
  const [device, other] = [await persist.open(GATEWAY, '1'), await persist.open(GATEWAY, '2')];
  await device.outbox.add(newEntry());
  await expect(device.outbox.add(newEntry())).rejects.toMatchObject({ code: 'outbox_full' });
  expect((await other.outbox.contents()).entries).toEqual([]);
  expect([device.cache, device.tabs]).toEqual([undefined, undefined]);
  expect(warn).toHaveBeenCalledTimes(1);
  await device.forget();
  device.close();
});

test.each([
  [
    'refuses to open',
    () => ({
      open: () => {
        throw new DOMException('no', 'SecurityError');
      },
    }),
  ],
  [
    'fails to open',
    () => {
      const factory = new IDBFactory();
      factory.open(databaseName(GATEWAY, '1'), 1_000);
      return factory;
    },
  ],
])('a database that %s', async (_, factory) => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const device = await open(factory() as IDBFactory);
  await device.outbox.add(newEntry());
  expect(warn).toHaveBeenCalledTimes(1);
});

test('a database that is never opened is not waited for', async () => {
  vi.useFakeTimers();
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const opening = open({ open: () => ({}) } as unknown as IDBFactory);
  await vi.advanceTimersByTimeAsync(10_000);
  await (await opening).outbox.add(newEntry());
  expect(warn.mock.calls[0]![0]).toContain('did not answer');
});
