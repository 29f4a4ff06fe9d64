/** How long something takes, and how much of this process it takes. */

export interface Spent {
  readonly seconds: number;
  /** Seconds of CPU time of this process, in all its threads. */
  readonly cpuSeconds: number;
}

/** Runs until the returned function is called. */
export function stopwatch(): () => Spent {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - startedAt) / 1000, cpuSeconds: (user + system) / 1e6 };
  };
}
