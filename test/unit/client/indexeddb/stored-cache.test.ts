import { IDBObjectStore as FakeObjectStore, IDBFactory } from 'fake-indexeddb';
import { afterEach, expect, test, vi } from 'vitest';
import type { Cache } from '../../../../src/client/device.ts';
import { type IndexedDbOptions, indexedDb } from '../../../../src/client/indexeddb/indexeddb.ts';
import { databaseName } from '../../../../src/client/indexeddb/layout.ts';
import { StoredEvent } from '../../../../src/event/event.ts';
import { type EventId, ZERO_ID } from '../../../../src/event/event-id.ts';
import type { LogName } from '../../../../src/event/log-name.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const LOG = 'room:5' as LogName;
const OTHER = 'room:6' as LogName;
const id = (number: number) => (number === 0 ? ZERO_ID : `${number}-0`) as EventId;
let factory = new IDBFactory();

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  factory = new IDBFactory();
});

/** Each is of another tab. */
async function openCache(options: IndexedDbOptions = {}): Promise<Cache> {
  return (await indexedDb({ factory, ...options }).open('https://a.example', '1')).cache!;
}

function eventsOf(after: number, to: number, text = 'x'): StoredEvent[] {
  return Array.from(
    { length: to - after },
    (_, index) => new StoredEvent(id(after + index + 1), 'Said', 'text', text),
  );
}

/** Adds the events between two places. */
function add(cache: Cache, after: number, to: number, isNew = false, log = LOG, text = 'x') {
  cache.add(log, eventsOf(after, to, text), id(to), { after: id(after), isNew });
}

async function numbers(cache: Cache, log = LOG) {
  const cached = await cache.log(log);
  return cached && [cached.after, cached.events.length, cached.cursor];
}

/** Changes a value behind the back of the cache. */
async function damage(store: string, key: IDBValidKey, value: unknown): Promise<void> {
  await new Promise((resolve, reject) => {
    const request = factory.open(databaseName('https://a.example', '1'));
    request.onsuccess = () => {
      const transaction = request.result.transaction([store], 'readwrite');
      const target = transaction.objectStore(store);
      if (target.keyPath === null) target.put(value, key);
      else target.put(value);
      transaction.oncomplete = () => {
        request.result.close();
        resolve(undefined);
      };
      transaction.onabort = reject;
    };
  });
}

test('events come back as they were', async () => {
  const events = [
    new StoredEvent('1-0' as EventId, 'Said', 'text', 'hi', '{"by":"me"}'),
    new StoredEvent('1-1' as EventId, 'Saved', 'json', '{"a":[1]}'),
    new StoredEvent('2-0' as EventId, 'Photo', 'bytes', new Uint8Array([1, 2])),
  ];
  const cache = await openCache();
  expect(await cache.log(LOG)).toBeUndefined();
  cache.add(LOG, events, id(9), { after: ZERO_ID });
  const kept = { after: ZERO_ID, events, cursor: id(9) };
  expect(await cache.log(LOG)).toEqual(kept);
  const read = await (await openCache()).log(LOG);
  expect(read).toEqual(kept);
  expect(read!.events[1]).toBeInstanceOf(StoredEvent);
  expect(read!.events[1]!.payload).toEqual({ a: [1] });
});

test('what comes within a tenth of a second is written together', async () => {
  const cache = await openCache();
  const write = vi.spyOn(FakeObjectStore.prototype, 'put');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  for (let number = 0; number < 50; number += 1) add(cache, number, number + 1);
  expect(write).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(100);
  vi.useRealTimers();
  await cache.flush();
  // The log, and one chunk.
  expect(write).toHaveBeenCalledTimes(2);
  expect(await numbers(await openCache())).toEqual([ZERO_ID, 50, id(50)]);
});

test('a new stretch takes the place of the one before', async () => {
  const cache = await openCache();
  add(cache, 0, 250);
  await cache.flush();
  add(cache, 400, 401, true);
  expect(await numbers(cache)).toEqual([id(400), 1, id(401)]);
  cache.add(LOG, [], ZERO_ID, { after: ZERO_ID, isNew: true });
  expect(await cache.log(LOG)).toEqual({ after: ZERO_ID, events: [], cursor: ZERO_ID });
});

test('two tabs that write leave no hole, whoever is faster', async () => {
  const [cache, other] = [await openCache(), await openCache()];
  add(cache, 0, 10);
  await cache.flush();
  add(other, 5, 20);
  await other.flush();
  expect(await numbers(cache)).toEqual([ZERO_ID, 20, id(20)]);
  // It knows nothing of what the other has added.
  add(cache, 10, 12);
  expect(await numbers(cache)).toEqual([ZERO_ID, 20, id(20)]);
  // What lies between is missing.
  add(cache, 30, 32);
  await cache.flush();
  expect(await numbers(other)).toEqual([id(30), 2, id(32)]);
  add(other, 33, 34);
  add(other, 40, 41);
  await other.flush();
  expect(await numbers(cache)).toEqual([id(40), 1, id(41)]);
});

test('the last events of a log are kept', async () => {
  const cache = await openCache({ maxCachedEventsPerLog: 100 });
  for (let number = 0; number < 500; number += 5) {
    add(cache, number, number + 5);
    if (number % 50 === 0) await cache.flush();
  }
  const { after, events, cursor } = (await cache.log(LOG))!;
  expect(cursor).toBe(id(500));
  expect(events.length).toBeGreaterThan(90);
  expect(events.length).toBeLessThanOrEqual(100);
  expect(events).toEqual(eventsOf(500 - events.length, 500));
  expect(after).toBe(id(500 - events.length));
  add(cache, 500, 5_000);
  expect((await cache.log(LOG))!.events).toEqual(eventsOf(4_900, 5_000));
});

test.each([
  ['events', { maxCachedEvents: 400 }],
  ['bytes', { maxCachedBytes: 45_000 }],
])(
  'beyond so many %s the oldest go, of the log that was not used for longest',
  async (_, limit) => {
    const cache = await openCache({ maxCachedEventsPerLog: 300, ...limit });
    const text = 'x'.repeat(100);
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000 });
    add(cache, 0, 150, true, LOG, text);
    await cache.flush();
    vi.setSystemTime(2_000);
    add(cache, 0, 150, true, OTHER, text);
    await cache.flush();
    vi.setSystemTime(3_000);
    await cache.log(LOG);
    await cache.flush();
    vi.setSystemTime(4_000);
    const third = 'room:7' as LogName;
    add(cache, 0, 200, true, third, text);
    await cache.flush();
    expect(await numbers(cache)).toEqual([ZERO_ID, 150, id(150)]);
    const [after, count, cursor] = (await numbers(cache, OTHER))!;
    expect(cursor).toBe(id(150));
    expect(count).toBeLessThanOrEqual(60);
    expect(after).toBe(id(150 - Number(count)));
    expect((await numbers(cache, third))![1]).toBe(200);
  },
);

test('no more than 200 logs are kept', async () => {
  const cache = await openCache();
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000 });
  for (let number = 0; number < 205; number += 1) {
    vi.setSystemTime(1_000 + number);
    add(cache, 0, 1, false, `log:${number}` as LogName);
    await cache.flush();
  }
  expect(await cache.log('log:4' as LogName)).toBeUndefined();
  expect(await cache.log('log:5' as LogName)).toBeDefined();
});

test.each([
  ['an event without ID', 'chunks', [LOG, 0], [['', 'Said', 'text', 'hi', undefined]]],
  [
    'events in disorder',
    'chunks',
    [LOG, 0],
    [
      ['2-0', 'Said', 'text', 'hi', undefined],
      ['1-0', 'Said', 'text', 'hi', undefined],
    ],
  ],
  ['data of another kind', 'chunks', [LOG, 0], [['1-0', 'Said', 'text', { a: 1 }, undefined]]],
  ['an event without type', 'chunks', [LOG, 0], [['1-0', undefined, 'text', 'hi', undefined]]],
  ['an event without data', 'chunks', [LOG, 0], [['1-0', 'Said', 'json', undefined, undefined]]],
  ['an unknown codec', 'chunks', [LOG, 0], [['1-0', 'Said', 'zip', 'hi', undefined]]],
  ['meta that is no text', 'chunks', [LOG, 0], [['1-0', 'Said', 'text', 'hi', { by: 'me' }]]],
  ['a chunk of another form', 'chunks', [LOG, 0], { events: [] }],
  ['a stretch of another form', 'logs', LOG, { log: LOG, first: 1 }],
  [
    'a cursor before its events',
    'logs',
    LOG,
    {
      ...{ log: LOG, after: '0-0', cursor: '1-0', next: 1, used: 1 },
      chunks: [{ number: 0, count: 3, bytes: 1, last: '3-0' }],
    },
  ],
])('%s is dropped, and the log begins anew', async (_, store, key, value) => {
  const cache = await openCache();
  add(cache, 0, 3);
  await cache.flush();
  await damage(store, key, value);
  expect(await cache.log(LOG)).toBeUndefined();
  add(cache, 7, 9, true);
  await cache.flush();
  add(cache, 9, 10);
  await cache.flush();
  const again = await numbers(await openCache());
  // Where all of it had to be dropped, it begins with what came after that.
  expect([
    [id(7), 3, id(10)],
    [id(9), 1, id(10)],
  ]).toContainEqual(again);
});

test('short of room, half of it goes', async () => {
  const cache = await openCache();
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000 });
  add(cache, 0, 500);
  await cache.flush();
  const real = FakeObjectStore.prototype.put;
  let left = 1;
  vi.spyOn(FakeObjectStore.prototype, 'put').mockImplementation(function (
    this: IDBObjectStore,
    ...parameters
  ) {
    const request = real.apply(this, parameters);
    if (left > 0) {
      left -= 1;
      (this.transaction as unknown as { _abort(name: string): void })._abort('QuotaExceededError');
    }
    return request;
  });
  vi.setSystemTime(2_000);
  add(cache, 0, 100, false, OTHER);
  expect((await numbers(cache, OTHER))![1]).toBe(100);
  const [, count, cursor] = (await numbers(cache))!;
  expect([count, cursor]).toEqual([200, id(500)]);
  left = 1_000;
  add(cache, 500, 501);
  await cache.flush();
  left = 0;
  expect(await numbers(cache)).toBeUndefined();
  add(cache, 501, 502);
  expect(await numbers(cache)).toEqual([id(501), 1, id(502)]);
});

test('states of views are kept, read and dropped', async () => {
  const cache = await openCache();
  const kept = { state: { items: new Map([['a', 1]]) }, cursor: id(3), version: '2' };
  cache.keep('tasks', kept);
  expect(await cache.state('tasks')).toMatchObject(kept);
  expect(await (await openCache()).state('tasks')).toMatchObject(kept);
  cache.drop('tasks');
  expect(await cache.state('tasks')).toBeUndefined();
});

test('a state that is too large, or no data, is not kept, and takes nothing along', async () => {
  const cache = await openCache();
  const cursor = id(1);
  cache.keep('tasks', { state: 'before', cursor, version: '1' });
  const large = { list: Array.from({ length: 2_000 }, () => ({ text: 'x'.repeat(600) })) };
  cache.keep('tasks', { state: large, cursor, version: '1' });
  cache.keep('function', { state: () => {}, cursor, version: '1' });
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  cache.keep('cyclic', { state: cyclic, cursor, version: '1' });
  add(cache, 0, 1);
  expect((await cache.state('tasks'))!.state).toBe('before');
  expect(await cache.state('function')).toBeUndefined();
  expect(await cache.state('cyclic')).toBeUndefined();
  expect(await numbers(cache)).toEqual([ZERO_ID, 1, id(1)]);
});

test.each([
  ['a buffer', { deep: [new ArrayBuffer(1_048_577)] }],
  ['a part of one', new Uint8Array(1_048_577)],
  ['a map', new Map([['key', 'x'.repeat(1_048_577)]])],
  ['a set', new Set(['x'.repeat(1_048_577)])],
])('a state of more than 1 MiB is not kept: %s', async (_, state) => {
  const cache = await openCache();
  cache.keep('tasks', { state, cursor: id(1), version: '1' });
  expect(await cache.state('tasks')).toBeUndefined();
});

test('the 100 states that were kept last are there', async () => {
  const cache = await openCache();
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000 });
  for (let number = 0; number < 103; number += 1) {
    vi.setSystemTime(1_000 + number);
    cache.keep(`view ${number}`, { state: number, cursor: id(1), version: '1' });
    await cache.flush();
  }
  expect(await cache.state('view 2')).toBeUndefined();
  expect((await cache.state('view 3'))!.state).toBe(3);
  await damage('states', 'view 3', { state: 3 });
  expect(await cache.state('view 3')).toBeUndefined();
});

test.each([1, 2, 3])(
  'random writers leave a stretch of the log without a hole, seed %i',
  async (seed) => {
    const random = new SeededRandom(seed);
    const below = (most: number) => random.between(0, most - 1);
    const options = { maxCachedEventsPerLog: 60, maxCachedEvents: 90 };
    const caches = [await openCache(options), await openCache(options)];
    const logs = [LOG, OTHER];
    for (let step = 0; step < 300; step += 1) {
      const cache = caches[below(2)]!;
      const log = logs[below(2)]!;
      const kept = await cache.log(log);
      const at = Number(kept?.cursor.split('-')[0] ?? 0);
      const after = Math.max(0, at - 5 + below(8));
      add(cache, after, after + below(30), below(10) === 0, log);
      if (below(3) === 0) await cache.flush();
      const read = await caches[below(2)]!.log(log);
      if (read === undefined) continue;
      const [from, to] = [read.after, read.cursor].map((text) => Number(text.split('-')[0]));
      expect(read.events).toEqual(eventsOf(from!, to!));
      expect(read.events.length).toBeLessThanOrEqual(60);
    }
  },
);
