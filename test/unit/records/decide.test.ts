import { expect, test } from 'vitest';
import { decide, type KeptRecord } from '../../../src/records/decide.ts';
import type { Change } from '../../../src/records/records.ts';

const NOW = 1_000;
const KEPT: Readonly<Record<string, KeptRecord>> = {
  lasting: { value: '7', expires: 0 },
  mortal: { value: '7', expires: NOW + 1 },
  // Its time is over, and nobody has removed it yet.
  over: { value: '7', expires: NOW },
  text: { value: 'x', expires: 0 },
  largest: { value: String(Number.MAX_SAFE_INTEGER), expires: 0 },
};
const on = (...changes: Change[]) => decide(changes, (key) => KEPT[key], NOW);

test('a record whose time is over is absent', () => {
  expect(on({ key: 'over', expected: null, value: 'new' })).toEqual({
    outcome: { committed: true, counts: [] },
    writes: [{ key: 'over', record: { value: 'new', expires: 0 } }],
  });
  expect(on({ key: 'over', expected: '7' }).outcome).toMatchObject({ key: 'over', actual: null });
  expect(on({ key: 'mortal', expected: '7' }).outcome.committed).toBe(true);
});

test('one expectation that fails refuses all, also what came before it', () => {
  const { outcome, writes } = on(
    { key: 'lasting', add: 1 },
    { key: 'text', expected: 'y', value: 'z' },
  );
  expect(outcome).toEqual({ committed: false, reason: 'changed', key: 'text', actual: 'x' });
  expect(writes).toEqual([]);
});

test('a count keeps the time of its record, and gives one only to a new record', () => {
  const life = { add: 1, timeToLive: 50 };
  const keys = ['lasting', 'mortal', 'over', 'none'];
  const { outcome, writes } = on(...keys.map((key) => ({ key, ...life })));
  expect(outcome).toEqual({ committed: true, counts: [8, 8, 1, 1] });
  expect(writes.map(({ record }) => record?.expires)).toEqual([0, NOW + 1, NOW + 50, NOW + 50]);
});

test('a value brings its own time', () => {
  const { writes } = on(
    { key: 'mortal', value: 'a' },
    { key: 'lasting', value: 'b', timeToLive: 5 },
  );
  expect(writes.map(({ record }) => record?.expires)).toEqual([0, NOW + 5]);
});

test('removing writes only where something is kept', () => {
  const keys = ['lasting', 'over', 'none'];
  const { writes } = on(...keys.map((key) => ({ key, value: null })));
  expect(writes).toEqual(['lasting', 'over'].map((key) => ({ key, record: undefined })));
});

test.each([
  ['text', 1],
  ['largest', 1],
])('%s cannot be added to', (key, add) => {
  expect(() => on({ key, add })).toThrow(expect.objectContaining({ code: 'wrong_type' }) as Error);
});

test('counting ends where whole numbers do', () => {
  expect(on({ key: 'largest', add: -1 }).outcome).toEqual({
    committed: true,
    counts: [Number.MAX_SAFE_INTEGER - 1],
  });
  expect(() => on({ key: 'none', add: -(2 ** 53) + 1 })).not.toThrow();
});
