/**
 * Whether the leader is alive. One that crashes or is closed loses the lock by itself; one that is
 * frozen keeps it and answers nothing. So a tab that is shown asks now and then.
 */
export interface WatchParts {
  /** Whether there is a leader other than this tab to be watched. */
  readonly isNeeded: () => boolean;
  readonly ping: () => void;
  /** Calls back when the leader says anything about itself. @returns ends it */
  readonly heard: (tell: () => void) => () => void;
  /** It has not answered. */
  readonly silent: () => void;
  /** This tab goes on after it was frozen: messages may be missing. */
  readonly awake: () => void;
}

/** How often the leader is asked; it has twice as long to answer. */
const EVERY = 2_500;

/** @returns ends it */
export function watchLeader({ isNeeded, ping, heard, silent, awake }: WatchParts): () => void {
  const { document } = globalThis as { readonly document?: Document };
  let timer: ReturnType<typeof setInterval> | undefined;
  let unanswered = 0;
  let last = 0;

  const look = () => {
    const now = Date.now();
    // It was this tab that slept.
    const isLate = now - last > 2 * EVERY;
    last = now;
    if (isLate || !isNeeded()) unanswered = 0;
    if (!isNeeded()) return;
    if (unanswered >= 2) {
      unanswered = 0;
      silent();
      return;
    }
    unanswered += 1;
    ping();
  };
  /** A tab that is not shown needs no timer: it watches once it is. */
  const start = () => {
    clearInterval(timer);
    timer = undefined;
    unanswered = 0;
    if (document?.hidden) return;
    last = Date.now();
    timer = setInterval(look, EVERY);
    look();
  };
  const resumed = () => {
    start();
    awake();
  };

  const end = heard(() => {
    unanswered = 0;
  });
  document?.addEventListener('visibilitychange', start);
  document?.addEventListener('resume', resumed);
  start();
  return () => {
    end();
    clearInterval(timer);
    document?.removeEventListener('visibilitychange', start);
    document?.removeEventListener('resume', resumed);
  };
}
