/**
 * Who leads, by Web Locks (https://w3c.github.io/web-locks/): a lock is held by one tab at a time, and
 * is free at once when that tab is closed or crashes. A tab that is told that it will be frozen gives it
 * back (Chromium goes on to answer other tabs then, but has no network), and stands again when it
 * goes on. One that is stopped without a word keeps it: it is deposed, which takes the lock away from it, and
 * finds that out later.
 *
 *   standing ──granted──► leading ──resigned──► ended
 *       ▲                   │
 *       └ deposed, frozen ◄─┘
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
  let frozen = new AbortController();
  let awake = Promise.resolve();
  const ends = freezing(() => {
    let wake = () => {};
    awake = new Promise((resolve) => {
      wake = resolve;
    });
    frozen.abort();
    frozen = new AbortController();
    return wake;
  });
  signal.addEventListener('abort', ends);

  /** Resolves when the lock is lost, given back, or not to be had: to whether it was held. */
  const hold = async (options: LockOptions): Promise<boolean> => {
    const term = new AbortController();
    const freeze = frozen.signal;
    let wasHeld = false;
    const held = () => {
      wasHeld = true;
      if (signal.aborted || term.signal.aborted || freeze.aborted) return;
      // Before it leads, as it may resign right then.
      const given = new Promise<void>((give) => {
        for (const each of [signal, freeze]) each.addEventListener('abort', () => give());
      });
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
        do await awake;
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

/** @param froze answers what is to be called when the page goes on @returns ends it */
function freezing(froze: () => () => void): () => void {
  const { document } = globalThis as { readonly document?: Document };
  let resumed = () => {};
  const freeze = () => {
    resumed = froze();
  };
  const resume = () => resumed();
  document?.addEventListener('freeze', freeze);
  document?.addEventListener('resume', resume);
  return () => {
    document?.removeEventListener('freeze', freeze);
    document?.removeEventListener('resume', resume);
    resume();
  };
}
