/** Asking a store again that cannot be reached, until it can. */
import { pause } from '../event/pause.ts';
import { delayAfter } from '../event/retries.ts';
import { codeOf } from '../event/thrown.ts';

const STORE_DELAYS = { firstDelay: 50, maxDelay: 2_000, certain: 1 };

/** Whether the same may succeed later. All that is asked this way may be done twice. */
export function isAway(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'unavailable' || code === 'outcome_unknown';
}

/**
 * @param onAway told of each failure
 * @returns undefined when `signal` was aborted before it succeeded
 * @throws all else
 */
export async function whileAway<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  onAway: (error: unknown) => void,
): Promise<T | undefined> {
  for (let failed = 1; ; failed += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!isAway(error)) throw error;
      onAway(error);
      await pause(delayAfter(failed, STORE_DELAYS), signal);
      if (signal.aborted) return undefined;
    }
  }
}
