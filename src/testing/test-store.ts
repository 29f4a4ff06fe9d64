/** A store in memory in which everything happens the same way each time. */
import type { Feed } from '../feed/feed.ts';
import { endDependents } from '../log/dependents.ts';
import { MemoryLog } from '../stores/memory/log/memory-log.ts';
import { MemoryReadModels } from '../stores/memory/read-models/memory-read-models.ts';
import { MemoryRecords } from '../stores/memory/records/memory-records.ts';
import { MemoryWorkQueues } from '../stores/memory/work-queues/memory-work-queues.ts';
import { FakeClock } from './fake-clock.ts';
import { seededIds, seededRandom } from './seeded.ts';

/** By {@link testStore}. */
export interface TestStore {
  readonly log: MemoryLog;
  readonly feed: Feed;
  readonly records: MemoryRecords;
  readonly readModels: MemoryReadModels;
  readonly workQueues: MemoryWorkQueues;
  /** Event IDs and times to live go by it. */
  readonly clock: FakeClock;
  readonly random: () => number;
  /** Another ID each time, the same ones for the same seed. */
  readonly newId: () => string;
  /** Ends all that runs on it, and then closes it; as of other stores. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Opens a store in memory, for deciders, projections and workers: with the same seed and start, the
 * same test sees the same IDs. (Leases of workers go by the real time.)
 */
export function testStore(
  options: { readonly seed?: number | undefined; readonly start?: number | undefined } = {},
): TestStore {
  const { seed, start } = options;
  const clock = new FakeClock(start);
  const log = new MemoryLog({ clock: clock.now });
  const records = new MemoryRecords({ clock: clock.now });
  const readModels = new MemoryReadModels();
  const workQueues = new MemoryWorkQueues(log);
  const close = async (graceMs: number | undefined) => {
    await endDependents(log, graceMs);
    await Promise.all([log, records, readModels, workQueues].map((each) => each.close()));
  };
  let closing: Promise<void> | undefined;
  return {
    ...{ log, feed: log.asFeed(), records, readModels, workQueues, clock },
    random: seededRandom(seed),
    newId: seededIds(seed),
    close(graceMs) {
      closing ??= close(graceMs);
      return closing;
    },
  };
}
