/**
 * How long to wait before the gateway is tried again: full jitter, so that those who lost it
 * together do not come back together.
 */
import { delayAfter } from '../../event/retries.ts';

const DELAYS = { firstDelay: 500, maxDelay: 30_000, certain: 0 };
/** As if so many attempts had failed: a wait of up to 4 s. */
const TOGETHER = 3;

export class BackOff {
  #failed = 0;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * In milliseconds.
   * @param isShared whether all others have lost the gateway in this very moment, and find it again soon
   */
  next(isShared: boolean): number {
    this.#failed = Math.max(this.#failed, isShared ? TOGETHER : 0) + 1;
    return delayAfter(this.#failed, DELAYS, this.#random);
  }

  reset(): void {
    this.#failed = 0;
  }
}
