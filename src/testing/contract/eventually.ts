/** Waiting for what has no promise: poll the condition, never sleep and hope. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Give up after this many milliseconds. Default 10,000. */
  readonly timeout?: number;
  /** Milliseconds between two looks. Default 5. */
  readonly interval?: number;
}

/**
 * Calls `check` until it neither throws nor answers `false`, and returns its answer. When the time
 * is up it throws what `check` threw last, so that assertions can be used inside.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<T> {
  const { timeout = 10_000, interval = 5 } = options;
  const deadline = performance.now() + timeout;
  for (;;) {
    let failure: unknown;
    try {
      const answer = await check();
      if (answer !== false) return answer;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline) {
      throw failure ?? new Error(`still not so after ${timeout} ms: ${check}`);
    }
    await sleep(interval);
  }
}
