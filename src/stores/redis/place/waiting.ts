/** Waiting until Redis was heard, for as long as it is away. */

/** Somebody who follows, and may still wait. */
export interface Waiter {
  /** Set while it waits. */
  waiting: { readonly resolve: () => void; readonly reject: (reason: unknown) => void } | undefined;
}

/**
 * Resolves or rejects when `waiter.waiting` is told so. When `signal` is aborted, `leave` is called
 * and it rejects with the signal's reason.
 */
export async function waitToBeHeard(
  waiter: Waiter,
  leave: () => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const abort = (): void => {
    leave();
    waiter.waiting?.reject(signal?.reason);
  };
  signal?.addEventListener('abort', abort);
  try {
    await new Promise<void>((resolve, reject) => {
      waiter.waiting = { resolve, reject };
    });
  } finally {
    waiter.waiting = undefined;
    signal?.removeEventListener('abort', abort);
  }
}
