/**
 * Waiting before the next attempt: exponential back-off with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
import { setTimeout as sleepFor } from 'node:timers/promises';
import { InvalidInput } from '../../event/error.ts';

const DEFAULT_RETRIES = 10;
/** In milliseconds, as all of these. */
const FIRST_DELAY = 4;
const MAX_DELAY = 1_000;

/** How conflicts are answered. */
export interface RetryOptions {
  /** How often a command is decided again when others were faster; from 0. Default 10. */
  readonly retries?: number | undefined;
  /** From 0 up to, but not including, 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Waits so many milliseconds; rejects when the signal is aborted. Default: a timer. */
  readonly sleep?: ((milliseconds: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

export class BackOff {
  readonly retries: number;
  readonly #random: () => number;
  readonly #sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;

  /** @throws InvalidInput */
  constructor(options: RetryOptions) {
    const { retries = DEFAULT_RETRIES, random = Math.random, sleep = timer } = options;
    if (!Number.isSafeInteger(retries) || retries < 0) {
      throw new InvalidInput('retries', 'must be a whole number from 0');
    }
    this.retries = retries;
    this.#random = random;
    this.#sleep = sleep;
  }

  /**
   * @param attempt the number of attempts that have failed, from 1
   * @throws what the signal was aborted with
   */
  async wait(attempt: number, signal: AbortSignal | undefined): Promise<void> {
    const most = Math.min(MAX_DELAY, FIRST_DELAY * 2 ** (attempt - 1));
    await this.#sleep(this.#random() * most, signal);
    signal?.throwIfAborted();
  }
}

async function timer(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleepFor(milliseconds, undefined, signal && { signal });
  } catch (error) {
    // The timer rejects with an error of its own, whatever the reason was.
    signal?.throwIfAborted();
    throw error;
  }
}
