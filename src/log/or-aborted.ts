/** Waiting that can be given up. */

/** For how long to wait. */
export interface WaitOptions {
  /** Aborted, it ends the wait, which then throws the signal's reason. Nothing else is changed by it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits for `work`, but not beyond the abort of `signal`: that rejects with the signal's reason,
 * and what comes of the work is nobody's business any more.
 */
export async function orAborted<T>(
  work: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return work();
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
