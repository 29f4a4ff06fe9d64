/**
 * Who leads, by Web Locks (https://w3c.github.io/web-locks/): a lock is held by one tab at a time, and
 * is free at once when that tab is closed or crashes. A tab that is frozen keeps it: it is deposed,
 * which takes the lock away from it, and finds that out when it goes on.
 *
 *   standing ──granted──► leading ──resigned──► ended
 *       ▲                   │
 *       └────── deposed ◄───┘
 */
export interface Election {
  /** Stands until it is ended; `lead` is called with what ends when this tab does not lead any more. */
  stand(lead: (until: AbortSignal) => void): () => void;
  /** Takes the lead from whoever has it. */
  depose(): void;
  /** Resolves once others can see that this tab is there. */
  readonly present: Promise<void>;
  /** Calls back once a tab is not there any more. @returns ends that */
  whenGone(tab: string, gone: () => void): () => void;
}

/**
 * @param name of the lock
 * @param tab this one
 */
export function lockElection(locks: LockManager, name: string, tab: string): Election {
  const resigned = new AbortController();
  const { signal } = resigned;
  let lead = (_until: AbortSignal) => {};

  /** Resolves when the lock is lost, given back, or not to be had: to whether it was held. */
  const hold = async (options: LockOptions): Promise<boolean> => {
    const term = new AbortController();
    let wasHeld = false;
    const held = () => {
      wasHeld = true;
      if (signal.aborted || term.signal.aborted) return;
      // Before it leads, as it may resign right then.
      const given = new Promise<void>((give) => signal.addEventListener('abort', () => give()));
      lead(term.signal);
      return given;
    };
    // Rejects when the lock is stolen, or when it is waited for no more.
    await locks.request(name, options, held).catch(() => {});
    term.abort();
    return wasHeld;
  };

  return {
    stand(takeOver) {
      lead = takeOver;
      void (async () => {
        // Where locks are refused, as in a page that is torn down, asking again would never end.
        while (!signal.aborted && (await hold({ signal })));
      })();
      return () => resigned.abort();
    },
    depose() {
      if (!signal.aborted) void hold({ steal: true });
    },
    present: new Promise((resolve) => {
      const stay = () => {
        resolve();
        return new Promise<void>((leave) => signal.addEventListener('abort', () => leave()));
      };
      locks.request(`${name}:${tab}`, stay).catch(() => {});
    }),
    whenGone(other, gone) {
      const ended = new AbortController();
      locks.request(`${name}:${other}`, { signal: ended.signal }, gone).catch(() => {});
      return () => ended.abort();
    },
  };
}
