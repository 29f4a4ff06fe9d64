/** Asking a store again that cannot be reached, until it can. */
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../event/thrown.ts';

const FIRST_DELAY = 50;
const LONGEST_DELAY = 2_000;

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
  for (let delay = FIRST_DELAY; ; delay = Math.min(LONGEST_DELAY, delay * 2)) {
    try {
      return await ask();
    } catch (error) {
      if (!isAway(error)) throw error;
      onAway(error);
      if (signal.aborted) return undefined;
      await sleep(delay, undefined, { signal }).catch(() => {});
      if (signal.aborted) return undefined;
    }
  }
}
