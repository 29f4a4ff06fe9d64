/**
 * What a log remembers about one producer, and what that says about the producer's next append.
 * Pure; for the stores that decide in this process (the Redis store does the same in its script).
 *
 *   epoch  <  ours: fenced
 *   epoch  =  ours: seq ≤ last: duplicate │ seq = last + 1: next │ beyond: gap
 *   epoch  >  ours, or a producer we do not know: seq = 0: next  │ beyond: gap
 */
import type { EventId } from '../event/event-id.ts';
import type { Producer } from '../event/producer.ts';
import { type IdRange, idsOf } from './allocate.ts';

/** How many appends of a producer are remembered with the IDs that they got. */
export const REMEMBERED_APPENDS = 16;

export interface ProducerState {
  readonly epoch: number;
  /** The seq of the last append. */
  readonly seq: number;
  /** The last {@link REMEMBERED_APPENDS} appends of this epoch, oldest first. */
  readonly recent: readonly IdRange[];
  /** When it last appended, in milliseconds since 1970. */
  readonly lastUse: number;
}

export type Verdict =
  | { readonly is: 'next' }
  /** `ids` is empty when the append is too long ago. */
  | { readonly is: 'duplicate'; readonly ids: readonly EventId[] }
  | { readonly is: 'gap'; readonly expectedSeq: number }
  | { readonly is: 'fenced'; readonly currentEpoch: number };

/** Whether the producer has not appended for `idle` milliseconds and is to be forgotten. */
export function isForgotten(state: ProducerState, now: number, idle: number): boolean {
  return now - state.lastUse >= idle;
}

/** What an append of `producer` is to a log that remembers `state` of it at `now`. */
export function judge(
  state: ProducerState | undefined,
  producer: Producer,
  now: number,
  idle: number,
): Verdict {
  const known = state !== undefined && !isForgotten(state, now, idle) ? state : undefined;
  if (known !== undefined && producer.epoch < known.epoch) {
    return { is: 'fenced', currentEpoch: known.epoch };
  }
  const last = known?.epoch === producer.epoch ? known.seq : -1;
  if (producer.seq > last + 1) return { is: 'gap', expectedSeq: last + 1 };
  if (producer.seq === last + 1) return { is: 'next' };
  const range = known?.recent.at(producer.seq - last - 1);
  return { is: 'duplicate', ids: (range && idsOf(range)) ?? [] };
}

/** The state after an append that was {@link judge}d to be the next one. */
export function stateAfter(
  state: ProducerState | undefined,
  producer: Producer,
  range: IdRange,
  now: number,
): ProducerState {
  // Seq 0 starts afresh: a new epoch, or a producer that had been forgotten.
  const earlier = producer.seq === 0 ? [] : (state?.recent ?? []);
  return {
    epoch: producer.epoch,
    seq: producer.seq,
    recent: [...earlier, range].slice(-REMEMBERED_APPENDS),
    lastUse: now,
  };
}
