/** How projections and reactions are run. */
import { InvalidInput } from '../event/error.ts';
import { type Delays, parseRetries, type Retries, type RetryPolicy } from '../event/retries.ts';
import type { MetricsOptions, NoticeOptions } from '../metrics/observer.ts';

/**
 * How a projection or a reaction is run; all times in milliseconds. `onNotice` is told of what ends
 * it, of what is left out or passed over, and when the store is lost.
 */
export interface RunOptions extends NoticeOptions, MetricsOptions {
  /**
   * How long another instance waits for this one when it dies. It is also how long readers are
   * given to notice a new version. Default 3,000, at least 50.
   */
  readonly leaseTime?: number | undefined;
  /**
   * How many events are taken in with one commit, at most; fewer where that takes longer than half
   * a second. Default 40,000 (of a reaction: 100), at most 100,000.
   */
  readonly pageSize?: number | undefined;
  /**
   * How often an event whose handler throws is tried. Default: 5 times within some 1.5 s (of a
   * reaction: 8 times within some 30 s).
   */
  readonly retries?: Retries | undefined;
}

/** What counts where the options say nothing. */
export interface RunDefaults {
  readonly pageSize: number;
  readonly retries: Delays & { readonly attempts: number };
}

export interface ParsedRunOptions {
  readonly leaseTime: number;
  readonly pageSize: number;
  readonly retries: RetryPolicy;
}

/** @throws InvalidInput */
export function checkRunOptions(
  { leaseTime = 3_000, pageSize, retries }: RunOptions,
  defaults: RunDefaults,
): ParsedRunOptions {
  if (!Number.isSafeInteger(leaseTime) || leaseTime < 50) {
    throw new InvalidInput('leaseTime', 'must be a whole number of milliseconds, at least 50');
  }
  const size = pageSize ?? defaults.pageSize;
  if (!Number.isSafeInteger(size) || size < 1 || size > 100_000) {
    throw new InvalidInput('pageSize', 'must be 1 to 100,000 events');
  }
  return { leaseTime, pageSize: size, retries: parseRetries(retries, defaults.retries) };
}
