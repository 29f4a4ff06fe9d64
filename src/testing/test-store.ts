/** A store in memory in which everything happens the same way each time. */
import { MemoryLog } from '../log/memory/memory-log.ts';
import { MemoryRecords } from '../records/memory/memory-records.ts';
import { FakeClock } from './fake-clock.ts';
import { seededIds, seededRandom } from './seeded.ts';

/** By {@link testStore}. */
export interface TestStore {
  readonly log: MemoryLog;
  readonly records: MemoryRecords;
  /** Event IDs and times to live go by it. */
  readonly clock: FakeClock;
  readonly random: () => number;
  /** Another ID each time, the same ones for the same seed. */
  readonly newId: () => string;
  close(): Promise<void>;
}

/** Opens a store in memory: with the same seed and start, the same test sees the same IDs. */
export function testStore(
  options: { readonly seed?: number | undefined; readonly start?: number | undefined } = {},
): TestStore {
  const { seed, start } = options;
  const clock = new FakeClock(start);
  const log = new MemoryLog({ clock: clock.now });
  const records = new MemoryRecords({ clock: clock.now });
  return {
    ...{ log, records, clock },
    random: seededRandom(seed),
    newId: seededIds(seed),
    close: async () => {
      await Promise.all([log.close(), records.close()]);
    },
  };
}
