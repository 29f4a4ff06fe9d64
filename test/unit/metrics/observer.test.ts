import { readFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import type { Metrics } from '../../../src/metrics/metrics.ts';
import type { Notice } from '../../../src/metrics/notice.ts';
import { observer, SILENT } from '../../../src/metrics/observer.ts';
import { RecordedMetrics } from '../../support/recorded-metrics.ts';

const said = vi.spyOn(console, 'error').mockImplementation(() => {});
afterEach(() => said.mockClear());

const notice: Notice = { what: 'connection', by: 'Redis', state: 'lost' };

test('notices go to who asked for them, or to the console', () => {
  const told: Notice[] = [];
  observer({ onNotice: (each) => told.push(each) }).notice(notice);
  expect(told).toEqual([notice]);
  expect(said).not.toHaveBeenCalled();
  observer({}).notice(notice);
  expect(said).toHaveBeenCalledOnce();
  SILENT.notice(notice);
  expect(said).toHaveBeenCalledOnce();
});

test('what happens is measured, notices too', () => {
  const metrics = new RecordedMetrics();
  const watched = observer({ metrics, onNotice: () => {} });
  watched.count('appends', 2, 'appended');
  watched.count('appends', 1, 'appended');
  watched.count('deliveries', 5);
  watched.time('append_batch', 3);
  watched.gauge('subscriptions', 1);
  watched.gauge('subscriptions', 2);
  watched.notice(notice);
  expect(metrics.counts).toEqual({
    ...{ 'appends appended': 3, deliveries: 5, 'notices connection': 1 },
  });
  expect(metrics.times).toEqual({ append_batch: [3] });
  expect(metrics.gauges).toEqual({ subscriptions: 2 });
});

test('metrics that fail, at once or later, harm nothing, and that is told once', async () => {
  for (const fail of [
    () => {
      throw new Error('no room');
    },
    () => Promise.reject(new Error('no room')),
  ]) {
    said.mockClear();
    const metrics = { count: fail, time: fail, gauge: fail } as unknown as Metrics;
    const told: Notice[] = [];
    const watched = observer({ metrics, onNotice: (each) => told.push(each) });
    for (let time = 0; time < 3; time += 1) {
      watched.count('deliveries', 1);
      watched.time('append_batch', 1);
      watched.gauge('subscriptions', 1);
      watched.notice(notice);
    }
    await Promise.resolve();
    await Promise.resolve();
    expect(told).toHaveLength(3);
    expect(said.mock.calls.map(([line]) => line).sort()).toEqual([
      'millrace: metrics.count threw: no room',
      'millrace: metrics.gauge threw: no room',
      'millrace: metrics.time threw: no room',
    ]);
  }
});

test('without metrics everything that measures is of one kind, and has nothing of its own', () => {
  const [one, other] = [observer({ onNotice: () => {} }), observer({})];
  for (const each of [one, other]) {
    expect(Object.getPrototypeOf(each)).toBe(Object.getPrototypeOf(SILENT));
    expect(each.count).toBe(SILENT.count);
    expect(each.time).toBe(SILENT.time);
    expect(each.gauge).toBe(SILENT.gauge);
  }
});

test('refuses what cannot be told', () => {
  expect(() => observer({ onNotice: 'console' as never })).toThrow('onNotice must be a function');
  const half = { count: () => {} } as unknown as Metrics;
  expect(() => observer({ metrics: half })).toThrow('metrics.time must be a function');
});

test('the manual has all that is measured, and nothing else', () => {
  const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  const [, table] = read('docs/operations.md').split('### What an application can measure');
  const told = [...table!.split('\n## ')[0]!.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  const names = read('src/metrics/metrics.ts').matchAll(/^ {2}(?:\| )?'(\w+)'/gm);
  expect(told.sort()).toEqual([...names].map(([, name]) => name).sort());
});
