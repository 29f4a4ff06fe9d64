/** Waiting for what must come, and saying so when it does not. */

export type Outcome<T> =
  | { readonly answer: T }
  | { readonly error: unknown }
  /** It was still waiting. */
  | 'pending';

/** What becomes of a promise within so many milliseconds. Never rejects. */
export async function outcomeOf<T>(promise: Promise<T>, within = 5_000): Promise<Outcome<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'pending'>((resolve) => {
    timer = setTimeout(resolve, within, 'pending');
  });
  const settled = promise.then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}
