/** What the seeded test does not see: the cache, the grace, and how often a log is followed. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CachedLog } from '../../../../src/client/device.ts';
import { createChannels } from '../../../../src/client/logs/channels.ts';
import type { Consumer } from '../../../../src/client/logs/consumer.ts';
import { type EventId, ZERO_ID } from '../../../../src/event/event-id.ts';
import { events, LOG, ModelLog, ModelUpstream } from './model-upstream.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const id = (n: number) => `${n}-0` as EventId;
const turn = async () => {
  for (let tick = 0; tick < 10; tick += 1) await Promise.resolve();
};

function reader() {
  const told: unknown[] = [];
  const consumer: Consumer = {
    events: (list) => told.push(...list.map((event) => event.payload)),
    live: (at) => told.push(`live ${at}`),
    trimmed: (after) => told.push(`trimmed ${after}`),
    reset: () => told.push('reset'),
    failed: ({ code }) => told.push(code),
  };
  return { told, consumer };
}

/** A cache that refuses holes. */
class ModelCache {
  kept: CachedLog | undefined;

  constructor(kept?: CachedLog) {
    this.kept = kept;
  }

  log = async () => this.kept;

  add = (
    _log: unknown,
    list: CachedLog['events'],
    cursor: EventId,
    { after, isNew }: { after: EventId; isNew?: boolean },
  ) => {
    if (isNew) this.kept = { after, events: [], cursor: after };
    expect(after).toBe(this.kept!.cursor);
    this.kept = { ...this.kept!, events: [...this.kept!.events, ...list], cursor };
  };

  get numbers() {
    return this.kept?.events.map((event) => event.payload);
  }
}

function setUp(kept?: CachedLog, writesCache?: () => boolean) {
  const log = new ModelLog();
  const upstream: ModelUpstream = new ModelUpstream(log, () => channels.receiver);
  const cache = new ModelCache(kept);
  const channels = createChannels(() => upstream, {
    cache: Promise.resolve(cache as never),
    writesCache,
  });
  return { log, upstream, cache, channels };
}

test('who leaves and is back within a second does not start the log again', async () => {
  const { log, upstream, channels } = setUp();
  log.append(3);
  const first = reader();
  const close = channels.open(LOG, { last: 2 }, first.consumer);
  await turn();
  upstream.run();
  close();
  close();
  vi.advanceTimersByTime(900);
  const second = reader();
  const closeSecond = channels.open(LOG, { last: 2 }, second.consumer);
  await turn();
  expect(second.told).toEqual([2, 3, 'live 3-0']);
  expect(upstream.follows).toHaveLength(1);
  vi.advanceTimersByTime(5_000);
  expect(upstream.unfollowed).toBe(0);
  closeSecond();
  vi.advanceTimersByTime(1_000);
  expect(upstream.unfollowed).toBe(1);
  expect(channels.cursor(LOG)).toBeUndefined();
});

test('readers of one turn lead to one start, the earliest', async () => {
  const { log, upstream, channels } = setUp();
  log.append(5);
  const [early, late, last] = [reader(), reader(), reader()];
  channels.open(LOG, { last: 2 }, last.consumer);
  channels.open(LOG, { after: id(4) }, late.consumer);
  channels.open(LOG, { after: id(1) }, early.consumer);
  await turn();
  upstream.run();
  expect(upstream.follows).toEqual([{ after: id(1) }]);
  expect(early.told).toEqual([2, 3, 4, 5, 'live 5-0']);
  expect(late.told).toEqual([5, 'live 5-0']);
  expect(last.told).toEqual([4, 5, 'live 5-0']);
});

test('cached events are given at once, and the log goes on from their end', async () => {
  const kept = { after: ZERO_ID, events: events(1, 3), cursor: id(3) };
  const { log, upstream, cache, channels } = setUp(kept);
  log.append(5);
  const { told, consumer } = reader();
  channels.open(LOG, { after: id(1) }, consumer);
  await turn();
  expect(told).toEqual([2, 3]);
  expect(upstream.follows).toEqual([{ after: id(3) }]);
  upstream.run();
  expect(told).toEqual([2, 3, 4, 5, 'live 5-0']);
  expect(cache.numbers).toEqual([1, 2, 3, 4, 5]);
});

test('what is kept has no hole, wherever the log is read from', async () => {
  const kept = { after: id(2), events: events(3, 6), cursor: id(6) };
  const { log, upstream, cache, channels } = setUp(kept);
  log.append(6);
  // Further back than what is cached: what comes first is older, then it goes on.
  channels.open(LOG, { after: id(1) }, reader().consumer);
  log.append(2);
  await turn();
  while (upstream.step(2));
  expect(cache.numbers).toEqual([3, 4, 5, 6, 7, 8]);
  expect(cache.kept?.cursor).toBe(id(8));
});

test('a stretch that does not join on takes the place of the cached one', async () => {
  const kept = { after: ZERO_ID, events: events(1, 3), cursor: id(3) };
  const { log, upstream, cache, channels } = setUp(kept);
  log.append(20);
  channels.open(LOG, { last: 2 }, reader().consumer);
  await turn();
  upstream.run();
  expect(cache.numbers).toEqual([19, 20]);
  expect(cache.kept?.after.startsWith('18-')).toBe(true);

  log.lose(2);
  upstream.reconnect();
  upstream.step();
  expect(cache.kept).toEqual({ after: ZERO_ID, events: [], cursor: ZERO_ID });
  upstream.run();
  expect(cache.numbers).toEqual(log.all.map((event) => event.payload));
});

test('who begins to fill the cache in the middle begins with a stretch of its own', async () => {
  let leads = false;
  const { log, upstream, cache, channels } = setUp(undefined, () => leads);
  log.append(3);
  channels.open(LOG, { last: 2 }, reader().consumer);
  await turn();
  upstream.run();
  expect(cache.kept).toBeUndefined();
  leads = true;
  log.append(1);
  upstream.run();
  expect(cache.numbers).toEqual([2, 3, 4]);
});

test('a cache that cannot be read is none', async () => {
  const log = new ModelLog();
  log.append(1);
  const upstream: ModelUpstream = new ModelUpstream(log, () => channels.receiver);
  const broken = { log: () => Promise.reject(new Error('broken')), add: () => {} };
  const channels = createChannels(() => upstream, { cache: Promise.resolve(broken as never) });
  const { told, consumer } = reader();
  channels.open(LOG, { after: ZERO_ID }, consumer);
  await turn();
  upstream.run();
  expect(told).toEqual([1, 'live 1-0']);
});

test('what is in memory is bounded: who needs more has the log followed from further back', async () => {
  const { log, upstream, channels } = setUp();
  log.append(10_000);
  const [first, second, third] = [reader(), reader(), reader()];
  channels.open(LOG, { after: ZERO_ID }, first.consumer);
  await turn();
  while (upstream.step(500));
  channels.open(LOG, { after: id(9_500) }, second.consumer);
  await turn();
  expect(second.told).toHaveLength(501);
  expect(upstream.follows).toHaveLength(1);
  channels.open(LOG, { after: id(2) }, third.consumer);
  await turn();
  upstream.run();
  expect(upstream.follows).toEqual([{ after: ZERO_ID }, { after: id(2) }]);
  expect(third.told).toHaveLength(9_999);
  expect(first.told.filter((what) => typeof what === 'number')).toHaveLength(10_000);
});

test('a failure, and the closing of the client, is the last that readers hear', async () => {
  const { log, upstream, channels } = setUp();
  log.append(1);
  const [first, second] = [reader(), reader()];
  channels.open(LOG, 'now', first.consumer);
  await turn();
  channels.receiver.failed(LOG, { code: 'forbidden', message: 'no' });
  channels.receiver.events(LOG, events(2, 3));
  expect(first.told).toEqual(['forbidden']);
  channels.open(LOG, 'now', second.consumer);
  await turn();
  upstream.run();
  channels.close();
  expect(second.told).toEqual(['live 1-0', 'closed']);
  const [third, gone] = [reader(), reader()];
  channels.open(LOG, 'now', third.consumer);
  channels.open(LOG, 'now', gone.consumer)();
  expect(third.told).toEqual([]);
  await turn();
  expect(third.told).toEqual(['closed']);
  expect(gone.told).toEqual([]);
});
