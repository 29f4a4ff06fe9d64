/** What a browser tells that makes it worth looking at the connection at once. */

/** Sets up listening. @returns takes it down */
export type Signal = (stirred: () => void) => () => void;

/** The network has changed. */
export const network: Signal = (stirred) => listening(globalThis, ['online', 'offline'], stirred);

/** The page is shown again, or goes on after it was frozen. */
export const shown: Signal = (stirred) => {
  const { document } = globalThis;
  return listening(document, ['visibilitychange', 'resume'], () => {
    if (!document.hidden) stirred();
  });
};

/** Where there is nobody to listen to, as in Node, nothing is ever told. */
function listening(
  target: Partial<EventTarget> | undefined,
  types: readonly string[],
  heard: () => void,
): () => void {
  for (const type of types) target?.addEventListener?.(type, heard);
  return () => {
    for (const type of types) target?.removeEventListener?.(type, heard);
  };
}
