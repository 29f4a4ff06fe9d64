/** Chance that can be played again: the same seed makes the same choices. */
import { seededRandom } from '../../src/testing/seeded.ts';

export class SeededRandom {
  readonly seed: number;
  /** From 0 up to, but not including, 1. */
  readonly next: () => number;

  constructor(seed: number) {
    this.seed = seed;
    this.next = seededRandom(seed);
  }

  /** From the environment variable `TEST_SEED`, or a new one. Put it into the failure message. */
  static fromEnvironment(): SeededRandom {
    const { TEST_SEED } = process.env;
    return new SeededRandom(TEST_SEED === undefined ? Date.now() % 2 ** 32 : Number(TEST_SEED));
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)]!;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const result = [...list];
    for (let last = result.length - 1; last > 0; last -= 1) {
      const other = this.between(0, last);
      [result[last], result[other]] = [result[other]!, result[last]!];
    }
    return result;
  }
}
