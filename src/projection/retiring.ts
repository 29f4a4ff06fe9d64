/**
 * Removes the tables of versions that nobody sees any more. Whoever has the lease of the serving
 * version does it, a while after the switch, so that readers who do not know of it yet still find
 * the old rows; what one process leaves undone the next one takes up.
 */

import { pause } from '../event/pause.ts';
import type { ReadModel } from '../read-models/read-models.ts';
import type { Records } from '../records/records.ts';
import { isTrouble } from './errors.ts';
import { tableOf, type VersionRecord } from './versions.ts';

export interface Retiring {
  readonly name: string;
  /** The version that serves. */
  readonly version: number;
  readonly readModel: Pick<ReadModel, 'drop'>;
  readonly records: Pick<Records, 'lease'>;
  readonly versions: VersionRecord;
  readonly leaseTime: number;
}

export function leaseOf(name: string, version: number): string {
  return `projection:${name}:${version}`;
}

/** Goes on until no earlier version is left, or `signal` is aborted. */
export async function retireEarlier(retiring: Retiring, signal: AbortSignal): Promise<void> {
  const { leaseTime, version, versions } = retiring;
  for (let first = true; ; first = false) {
    try {
      const known = await versions.read();
      const earlier = known?.versions.filter((each) => each < version) ?? [];
      if (earlier.length === 0) return;
      await pause(first ? leaseTime : leaseTime / 6, signal);
      if (signal.aborted) return;
      for (const each of earlier) await retire(retiring, each);
    } catch (error) {
      if (!isTrouble(error)) throw error;
      await pause(leaseTime, signal);
    }
  }
}

/** Under its lease, so that an instance of it that has not noticed yet can write nothing later. */
async function retire(retiring: Retiring, version: number): Promise<void> {
  const { name, readModel, records, versions, leaseTime } = retiring;
  const lease = await records.lease(leaseOf(name, version), { timeToLive: leaseTime });
  // Its instances notice that they are superseded when they renew it.
  if (lease === undefined) return;
  await readModel.drop(tableOf(name, version));
  await versions.retire(version);
  await lease.release();
}
