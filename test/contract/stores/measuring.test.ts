/** What is counted, timed and gauged of everything that runs, on stores that are not only for tests. */
import { afterAll, describe, expect, test } from 'vitest';
import type { EventId } from '../../../src/event/event-id.ts';
import { ZERO_ID } from '../../../src/event/event-id.ts';
import { createLive } from '../../../src/live/create-live.ts';
import type { Notice } from '../../../src/metrics/notice.ts';
import { project } from '../../../src/projection/project.ts';
import { react } from '../../../src/projection/react.ts';
import { work } from '../../../src/worker/work.ts';
import { eventually } from '../../support/eventually.ts';
import { randomId, randomLog } from '../../support/names.ts';
import { RecordedMetrics } from '../../support/recorded-metrics.ts';
import { endServer, WHOLE_STORES } from './whole-stores.ts';

afterAll(endServer);

const EVENT = { type: 'Counted', payload: { by: 1 } };
const VERSION = '5-0' as EventId;

async function world(open: (typeof WHOLE_STORES)[string]) {
  const metrics = new RecordedMetrics();
  const notices: Notice[] = [];
  const watching = { metrics, onNotice: (notice: Notice) => void notices.push(notice) };
  const whole = await open(watching);
  const name = randomId();
  return {
    ...{ metrics, notices, watching, name, store: whole.store, log: randomLog(name) },
    [Symbol.asyncDispose]: () => whole[Symbol.asyncDispose](),
  };
}

describe.each(['embedded', 'redis'])('of %s is measured', (kind) => {
  const open = WHOLE_STORES[kind]!;

  test('what appends come to, how long they take, and whether the store is there', async () => {
    await using w = await world(open);
    const { log } = w.store;
    const producer = { id: 'app:test', epoch: 0, seq: 0 };
    await Promise.all([1, 2, 3].map(() => log.append(w.log, [EVENT, EVENT])));
    for (const _ of [1, 2]) await log.append(w.log, [EVENT], { producer });
    await expect(log.append(w.log, [EVENT], { expected: VERSION })).rejects.toThrow();
    expect(w.metrics.counts).toEqual({
      'appends appended': 4,
      'appends duplicate': 1,
      'appends version_conflict': 1,
    });
    const times = w.metrics.times.append_batch!;
    expect(times.length).toBeGreaterThanOrEqual(1);
    expect(times.length).toBeLessThanOrEqual(6);
    expect(times.every((time) => time > 0 && time < 30_000)).toBe(true);
    expect(w.metrics.gauges).toEqual({ store_connected: 1 });
    expect(w.notices).toEqual([]);
  });

  test('what is delivered, and to whom', async () => {
    await using w = await world(open);
    const metrics = new RecordedMetrics();
    const live = createLive({ log: w.store.log, metrics });
    await w.store.log.append(w.log, [EVENT, EVENT]);
    let got = 0;
    let isReady = true;
    const subscribe = () =>
      live.subscribe(
        w.log,
        { after: ZERO_ID },
        {
          ready: () => isReady,
          batch: ({ events }) => {
            got += events.length;
          },
          live: () => {},
          trimmed: () => {},
          reset: () => {},
          failed: () => {},
        },
      );
    const readers = [subscribe(), subscribe()];
    await eventually(() => got === 4);
    expect(metrics.gauges).toEqual({ subscriptions: 2 });
    expect(metrics.counts.catch_up_reads).toBeGreaterThanOrEqual(1);
    await w.store.log.append(w.log, [EVENT]);
    await eventually(() => got === 6);
    expect(metrics.counts).toMatchObject({ deliveries: 2 });
    expect(metrics.counts.slow_readers).toBeUndefined();
    isReady = false;
    await w.store.log.append(w.log, [EVENT]);
    await eventually(() => metrics.counts.slow_readers === 2);
    expect(metrics.counts.deliveries).toBe(2);
    for (const reader of readers) reader.close();
    expect(metrics.gauges).toEqual({ subscriptions: 0 });
    live.close();
  });

  test('how far projections, reactions and workers are, and what they give up', async () => {
    await using w = await world(open);
    const { store, name, watching, metrics } = w;
    await store.log.append(w.log, [EVENT]);
    await store.log.append(w.log, [{ type: 'Bad', payload: '' }]);
    const counts = project(store, {
      ...{ ...watching, name: `counts-${name}`, category: name, initial: () => 0 },
      on: { Counted: (count) => count + 1 },
    });
    const reaction = react(store, {
      ...{ ...watching, name: `tell-${name}`, category: name, onError: 'skip' },
      retries: { attempts: 1 },
      each: ({ type }) => {
        if (type === 'Bad') throw new Error('as asked');
      },
    });
    const worker = await work(store, {
      ...{ ...watching, group: name, category: name, retries: { attempts: 2, firstDelay: 1 } },
      handler: ({ type }) => {
        if (type === 'Bad') throw new Error('as asked');
      },
    });
    await Promise.all([counts.caughtUp(), reaction.caughtUp(), worker.drain()]);
    expect(metrics.gauges).toMatchObject({
      [`feed_lag counts-${name}`]: 0,
      [`feed_lag tell-${name}`]: 0,
      [`queue_depth ${name}`]: 0,
    });
    expect(metrics.counts).toMatchObject({
      [`dead_letters ${name}`]: 1,
      'notices failed': 1,
      'notices dead_letter': 1,
      'notices left_out': 1,
    });
    expect(w.notices.map(({ what, by }) => `${what} by ${by}`).sort()).toEqual([
      `dead_letter by the worker ${name}`,
      `failed by the worker ${name}`,
      `left_out by the reaction tell-${name}`,
    ]);
    await Promise.all([counts.stop(), reaction.stop(), worker.stop()]);
  });
});
