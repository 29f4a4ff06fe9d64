/** A value that changes, as React wants it: in step with what else is rendered, and without a render too many. */
import { useCallback, useSyncExternalStore } from 'react';
import type { Readable } from '../client/readable.ts';

/** Milliseconds: about a frame. */
const PACE = 16;

/**
 * @param readable undefined on a server
 * @param onServer what a server renders, and a page while it takes over what a server has rendered; always the same
 */
export function useReadable<Value>(readable: Readable<Value> | undefined, onServer: Value): Value {
  const subscribe = useCallback((changed: () => void) => paced(readable, changed), [readable]);
  return useSyncExternalStore(
    subscribe,
    () => (readable === undefined ? onServer : readable.get()),
    () => onServer,
  );
}

/** Tells of the first change at once, and of those that follow it closely together: nobody sees more than a frame. */
function paced(readable: Readable<unknown> | undefined, changed: () => void): () => void {
  let isLate = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const told = () => {
    isLate = timer !== undefined;
    if (isLate) return;
    timer = setTimeout(() => {
      timer = undefined;
      if (isLate) told();
    }, PACE);
    changed();
  };
  const end = readable?.subscribe(told);
  return () => {
    clearTimeout(timer);
    end?.();
  };
}
