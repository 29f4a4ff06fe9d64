/**
 * What runs on a log, and so has to end before it: whoever starts something says here how it ends,
 * and closing the log, or the store that it belongs to, ends all of it in this order:
 *
 *   work      gateways, workers, process managers, reactions: they begin things
 *   commands  command handlers, which those before may wait for
 *   reading   projections and live delivery, which those before read from
 *
 * It knows them by the log that they were given. What was given something around it (a wrapper) ends
 * by itself, when it is told Closed.
 */

const STAGES = ['work', 'commands', 'reading'] as const;

export type Stage = (typeof STAGES)[number];

/** Ends it; what is under way may take so many milliseconds. */
type End = (graceMs: number) => unknown;

/** So that the store can be closed as well within the 10 s that whoever sends SIGTERM waits. */
const DEFAULT_GRACE = 5_000;
/** How long a stage has to tidy up when the time is over, in milliseconds. */
const LAST_GRACE = 1_000;

const dependents = new WeakMap<object, Set<{ readonly stage: Stage; readonly end: End }>>();

/**
 * From now on `end` is called when `log` is closed.
 * @returns what takes that back, as when it has ended
 */
export function endsWith(log: object, stage: Stage, end: End): () => void {
  const known = dependents.get(log) ?? new Set();
  const dependent = { stage, end };
  dependents.set(log, known.add(dependent));
  return () => void known.delete(dependent);
}

/** Ends what runs on `log`. What has not ended in time is left behind, to be told Closed. Never rejects. */
export async function endDependents(log: object, graceMs = DEFAULT_GRACE): Promise<void> {
  const deadline = performance.now() + graceMs;
  for (const stage of STAGES) {
    const known = dependents.get(log);
    const ends = Array.from(known ?? []).filter((each) => each.stage === stage);
    // Told once: what does not end is not waited for again.
    for (const each of ends) known?.delete(each);
    if (ends.length === 0) continue;
    const left = Math.max(0, deadline - performance.now());
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, left + LAST_GRACE);
    });
    await Promise.race([Promise.allSettled(ends.map(async ({ end }) => end(left))), late]);
    clearTimeout(timer);
  }
}

/** Closes a log: at once when nothing runs on it. */
export function closeAfterDependents(log: object, close: () => Promise<void>): Promise<void> {
  return dependents.get(log)?.size ? endDependents(log).then(close) : close();
}
