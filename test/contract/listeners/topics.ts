/** All that a listener is put to. */
import { describe } from 'vitest';
import { brokenInput } from './broken-input.ts';
import { closing } from './closing.ts';
import { clientsThatMeanHarm } from './hostile.ts';
import { largeEvents } from './large-events.ts';
import type { ListenerUnderTest } from './listener-under-test.ts';
import { pipelining } from './pipelining.ts';
import { streams } from './streams.ts';
import { upgrades } from './upgrades.ts';

const TOPICS = [
  upgrades,
  streams,
  closing,
  brokenInput,
  pipelining,
  largeEvents,
  clientsThatMeanHarm,
];

export function listenerContract(listener: ListenerUnderTest): void {
  const lacks = Object.entries(listener.lacks).map(([ability, reason]) => `${ability}: ${reason}`);
  const without = lacks.length === 0 ? '' : ` (without ${lacks.join('; ')})`;
  describe(`the listener of ${listener.name}${without}`, () => {
    for (const topic of TOPICS) topic(listener);
  });
}
