/** Clients through everything that can go wrong: by default one short seed, more by `npm run test:faults`. */
import { expect, test } from 'vitest';
import { run } from './run.ts';

const first = Number(process.env.FAULT_FIRST ?? 1);
const seeds = Number(process.env.FAULT_SEEDS ?? 1);
const during = Number(process.env.FAULT_MS ?? 3_000);

test.each(Array.from({ length: seeds }, (_, index) => [first + index]))(
  'nothing is lost, doubled, swapped or shown wrongly, seed %i',
  async (seed) => {
    const store = seed % 2 === 0 ? 'redis' : 'embedded';
    const { wrong, summary } = await run({ seed, store, during });
    process.stdout.write(`${summary}\n`);
    expect(wrong).toEqual([]);
  },
  120_000,
);
