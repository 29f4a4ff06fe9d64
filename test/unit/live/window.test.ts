import { expect, test } from 'vitest';
import { StoredEvent } from '../../../src/event/event.ts';
import { type EventId, makeEventId, ZERO_ID } from '../../../src/event/event-id.ts';
import { parseLogName } from '../../../src/event/log-name.ts';
import { Batch } from '../../../src/live/batch.ts';
import { Window, WindowBudget } from '../../../src/live/window.ts';

const LOG = parseLogName('account:1');
const TINY = 220;

const tinyBatch = (number: number) =>
  new Batch(LOG, [new StoredEvent(makeEventId(number, 0), 'T', 'text', 'x')]);

function batchesIn(window: Window, first: number, last: number): number {
  let count = 0;
  for (let number = first; number <= last; number += 1) {
    if (window.after(makeEventId(number - 1, 0)) !== undefined) count += 1;
  }
  return count;
}

test('an event counts with all the memory that it takes, not with its characters alone', () => {
  const window = new Window(ZERO_ID, 65_536, new WindowBudget(1_000_000));
  for (let number = 1; number <= 1_000; number += 1) window.add(tinyBatch(number));
  const kept = batchesIn(window, 1, 1_000);
  expect(kept).toBeGreaterThan(0);
  expect(kept * TINY).toBeLessThan(65_536);
});

test('a frame counts, whether it was made before or after', () => {
  const budget = new WindowBudget(1_000_000);
  const window = new Window(ZERO_ID, 65_536, budget);
  const [early, late] = [tinyBatch(1), tinyBatch(2)];
  early.encoded(() => 'x'.repeat(20_000));
  window.add(early);
  window.add(late);
  expect(budget.bytes).toBeGreaterThan(20_000);
  late.encoded(() => 'x'.repeat(30_000));
  expect(budget.bytes).toBeGreaterThan(50_000);
  expect(window.covers(ZERO_ID)).toBe(true);
  // Now it is too much: the oldest goes.
  late.encoded(() => 'x'.repeat(30_000));
  expect(window.covers(ZERO_ID)).toBe(false);
  expect(window.after(early.last)).toBe(late);
  window.clear(late.last);
  expect(budget.bytes).toBe(0);
  late.encoded(() => 'x'.repeat(1_000));
  early.encoded(() => 'x'.repeat(1_000));
  expect(budget.bytes).toBe(0);
});

test('all windows together keep to their budget, and give back what they took', () => {
  const budget = new WindowBudget(100_000);
  const windows = Array.from({ length: 10 }, () => new Window(ZERO_ID, 65_536, budget));
  let last: EventId = ZERO_ID;
  for (let number = 1; number <= 500; number += 1) {
    for (const window of windows) {
      const batch = tinyBatch(number);
      window.add(batch);
      batch.encoded(() => 'frame');
      last = batch.last;
      expect(budget.bytes).toBeLessThanOrEqual(100_000);
    }
  }
  for (const window of windows) window.clear(last);
  expect(budget.bytes).toBe(0);
});
