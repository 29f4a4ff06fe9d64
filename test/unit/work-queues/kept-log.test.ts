import { expect, test } from 'vitest';
import { makeEventId } from '../../../src/event/event-id.ts';
import { keptAfter } from '../../../src/work-queues/kept-log.ts';
import type { LeasedLog, Settlement } from '../../../src/work-queues/work-queues.ts';

const at = (number: number) => makeEventId(number, 0);

const KEPT = {
  ...{ cursor: at(1), unchecked: true, attempt: { event: at(2), count: 1 } },
  redrives: [{ event: at(1), letter: at(9), attempts: 0 }],
};
const settled = (change: Omit<Settlement, 'leased'>, due?: number) =>
  keptAfter(KEPT, { leased: {} as LeasedLog, ...change }, due);

test('a settlement that changes nothing writes nothing', () => {
  expect(settled({ next: 'keep' })).toBe(KEPT);
  expect(settled({ next: 'done' })).toBe(KEPT);
});

test('a cursor that moves forgets the attempt, and is an event from then on', () => {
  expect(settled({ cursor: at(2), next: 'done' })).toEqual({
    cursor: at(2),
    redrives: KEPT.redrives,
  });
  const attempt = { event: at(3), count: 1 };
  expect(settled({ cursor: at(2), attempt, next: 'again' }).attempt).toBe(attempt);
});

test('a rest and a hold are kept, and end with the next settlement', () => {
  expect(settled({ next: { after: 5 } }, 105)).toMatchObject({ ...KEPT, due: 105 });
  const held = settled({ next: 'hold' });
  expect(held).toMatchObject({ ...KEPT, held: true });
  expect(
    keptAfter(held, { leased: {} as LeasedLog, next: 'again' }, undefined).held,
  ).toBeUndefined();
});

test('a redrive is counted, and goes when it is over', () => {
  const redrive = { letter: at(9), attempts: 2 };
  expect(settled({ redrive, next: 'again' }).redrives).toEqual([
    { ...KEPT.redrives[0], attempts: 2 },
  ]);
  const over = { letter: at(9), attempts: null };
  expect(settled({ redrive: over, next: 'again' }).redrives).toBeUndefined();
  const other = { letter: at(8), attempts: null };
  expect(settled({ redrive: other, next: 'again' }).redrives).toEqual(KEPT.redrives);
});
