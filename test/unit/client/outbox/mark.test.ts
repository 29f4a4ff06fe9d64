import { expect, it } from 'vitest';
import { markOf, randomId, withMark } from '../../../../src/client/outbox/mark.ts';
import { isProducerId } from '../../../../src/event/producer.ts';

it('makes IDs of 96 random bits that a producer may have', () => {
  const ids = Array.from({ length: 1_000 }, randomId);
  expect(ids.every((id) => isProducerId(id) && id.length === 16)).toBe(true);
  expect(new Set(ids).size).toBe(1_000);
});

it('marks events beside what their meta holds, and finds the mark again', () => {
  const mark = { id: 'client', key: 'entry' };
  const [event] = withMark([{ type: 'Said', payload: 1, meta: { correlationId: 'c' } }], mark);
  expect(event).toEqual({ type: 'Said', payload: 1, meta: { correlationId: 'c', client: mark } });
  expect(markOf(event!)).toEqual(mark);
});

it.each([
  undefined,
  {},
  { client: null },
  { client: 'x' },
  { client: { id: 1, key: 'k' } },
  { client: { id: 'i' } },
])('finds no mark in %j', (meta) => expect(markOf({ meta })).toBeUndefined());
