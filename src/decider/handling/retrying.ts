/** How a command that others were faster than is decided again. */
import { pause } from '../../event/pause.ts';
import { parseRetries, type Retries, type RetryPolicy } from '../../event/retries.ts';

/** All of it left to chance: those who wait want the same log. */
const CONFLICTS = { attempts: 11, firstDelay: 4, maxDelay: 1_000, certain: 0 };

/** How conflicts are answered. */
export interface RetryOptions {
  /**
   * How often a command is decided when others are faster. Default: 11 times, up to 4 ms to 1 s
   * apart, all of which is left to chance.
   */
  readonly retries?: Retries | undefined;
  /** Waits so many milliseconds, or until the signal is aborted. Default: a timer. */
  readonly sleep?: ((milliseconds: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

export interface Retrying {
  readonly policy: RetryPolicy;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** @throws InvalidInput */
export function retrying({ retries, sleep = pause }: RetryOptions): Retrying {
  return { policy: parseRetries(retries, CONFLICTS), sleep };
}
