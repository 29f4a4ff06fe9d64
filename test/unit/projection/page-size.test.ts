import { afterEach, expect, test, vi } from 'vitest';
import { project } from '../../../src/projection/project.ts';
import { balances, MemoryStore, QUICK } from './memory-store.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs over 64 events with handlers that take so many milliseconds each, by the clock. */
async function limitsAskedFor(milliseconds: number): Promise<number[]> {
  const store = new MemoryStore();
  await store.deposit(1, ...Array.from({ length: 64 }, () => 1));
  const feed = vi.spyOn(store.log, 'feed');
  let late = 0;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + late);
  const projection = project(store, {
    ...balances,
    ...QUICK,
    pageSize: 16,
    on: {
      ...balances.on,
      Deposited(state: { balance: number; events: number }) {
        late += milliseconds;
        state.events += 1;
      },
    },
  });
  await projection.caughtUp();
  expect(await projection.get('account:1')).toMatchObject({ events: 64 });
  await projection.stop();
  // How far the feed goes is asked for with a single event, or byte.
  const pages = feed.mock.calls.filter(([options]) => (options?.maxBytes ?? 1) > 1);
  return pages.map(([options]) => options!.limit!);
}

test('pages are as large as was asked for while they are quickly applied', async () => {
  expect(new Set(await limitsAskedFor(1))).toEqual(new Set([16]));
});

test('pages become smaller where they take long, so that a stop does not wait for them', async () => {
  const limits = await limitsAskedFor(200);
  expect(limits[0]).toBe(16);
  expect(Math.min(...limits)).toBeLessThanOrEqual(4);
});
