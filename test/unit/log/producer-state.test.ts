import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type EventId, makeEventId } from '../../../src/event/event-id.ts';
import { idsOf } from '../../../src/log/allocate.ts';
import {
  judge,
  type ProducerState,
  REMEMBERED_APPENDS,
  stateAfter,
} from '../../../src/log/producer-state.ts';

const IDLE = 1000;

/** The plainest memory that answers the same: every append of every epoch, for ever. */
class Model {
  readonly appends = new Map<number, EventId[][]>();
  epoch = -1;

  expected(epoch: number, seq: number): object {
    if (epoch < this.epoch) return { is: 'fenced', currentEpoch: this.epoch };
    const appends = this.appends.get(epoch) ?? [];
    if (seq > appends.length) return { is: 'gap', expectedSeq: appends.length };
    if (seq === appends.length) return { is: 'next' };
    const remembered = seq >= appends.length - REMEMBERED_APPENDS;
    return { is: 'duplicate', ids: remembered ? appends[seq] : [] };
  }

  append(epoch: number, ids: EventId[]): void {
    this.epoch = epoch;
    this.appends.set(epoch, [...(this.appends.get(epoch) ?? []), ids]);
  }
}

it('judges like a memory that keeps everything', () => {
  const step = fc.record({
    epoch: fc.integer({ min: 0, max: 3 }),
    seq: fc.oneof(fc.constant('next' as const), fc.integer({ min: 0, max: 40 })),
    count: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const model = new Model();
      let state: ProducerState | undefined;
      for (const [index, { epoch, seq: wanted, count }] of steps.entries()) {
        const seq = wanted === 'next' ? (model.appends.get(epoch)?.length ?? 0) : wanted;
        const producer = { id: 'p', epoch, seq };
        const verdict = judge(state, producer, 0, IDLE);
        expect(verdict).toEqual(model.expected(epoch, seq));
        if (verdict.is !== 'next') continue;
        const range = { first: makeEventId(index + 1, 0), count };
        state = stateAfter(state, producer, range, 0);
        model.append(epoch, idsOf(range)!);
        expect(state.recent.length).toBeLessThanOrEqual(REMEMBERED_APPENDS);
      }
    }),
  );
});

it('forgets after the idle time, and a clock that goes back forgets nothing', () => {
  const producer = { id: 'p', epoch: 5, seq: 0 };
  const state = stateAfter(undefined, producer, { first: makeEventId(1, 1), count: 1 }, 10_000);
  expect(judge(state, producer, 10_000 + IDLE - 1, IDLE).is).toBe('duplicate');
  expect(judge(state, producer, 10_000 + IDLE, IDLE).is).toBe('next');
  expect(judge(state, { ...producer, epoch: 0 }, 10_000 + IDLE, IDLE).is).toBe('next');
  expect(judge(state, producer, 0, IDLE).is).toBe('duplicate');
});
