/** Waiting that can be cut short, and for how long to wait before another try. */

/** Resolves after so many milliseconds, or at once when `signal` is aborted. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end, { once: true });
  });
}

/** How often something is tried, and how long to wait in between. */
export interface Retries {
  /** How many times in all. */
  readonly attempts: number;
  /** Before the second time, in milliseconds; doubled each time, and spread. */
  readonly firstDelay: number;
  /** The longest of these, in milliseconds. */
  readonly longestDelay: number;
}

/** Milliseconds before the next try after `failed` that failed. */
export function delayAfter(
  failed: number,
  { firstDelay, longestDelay }: Omit<Retries, 'attempts'>,
  random: () => number = Math.random,
): number {
  const longest = Math.min(longestDelay, firstDelay * 2 ** (failed - 1));
  return longest / 2 + (random() * longest) / 2;
}
