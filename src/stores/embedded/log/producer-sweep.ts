/**
 * Forgets producers that have been idle for long, a few with every batch that remembers some, so
 * that what is kept of them is bounded by those in use: the sweep looks at twice as many as were
 * written, going round and round through all of them.
 */
import { isForgotten, type ProducerState } from '../../../log/producer-state.ts';
import type { ProducerKey } from '../layout.ts';
import type { OrderedMap } from '../ordered-map.ts';

const FIRST: ProducerKey = [0, ''];
const BEYOND: ProducerKey = [0xffff_ffff, ''];
const MAX_STEP = 256;

export class ProducerSweep {
  readonly #producers: OrderedMap<ProducerKey, ProducerState>;
  readonly #idle: number;
  #at = FIRST;

  /** @param idle milliseconds after which a producer is forgotten */
  constructor(producers: OrderedMap<ProducerKey, ProducerState>, idle: number) {
    this.#producers = producers;
    this.#idle = idle;
  }

  /** The next producers that may go, after `written` were added or changed. */
  step(written: number, now: number): ProducerKey[] {
    const limit = Math.min(2 * written, MAX_STEP);
    const gone: ProducerKey[] = [];
    let seen = 0;
    let last = FIRST;
    const range = { start: this.#at, exclusiveStart: true, end: BEYOND, limit };
    for (const { key, value } of this.#producers.getRange(range)) {
      if (isForgotten(value, now, this.#idle)) gone.push(key);
      last = key;
      seen++;
    }
    this.#at = seen < limit ? FIRST : last;
    return gone;
  }
}
