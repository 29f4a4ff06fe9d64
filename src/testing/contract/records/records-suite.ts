/**
 * The contract of `src/records/records.ts` as tests. Every store passes all of it; what only some
 * can do is a named capability. Knows no store and no test runner.
 */

import type { Runner } from '../suite.ts';
import { batchTests } from './batch.ts';
import { compareAndSetTests } from './compare-and-set.ts';
import { countingTests } from './counting.ts';
import { failureTests } from './failures.ts';
import { leaseTests } from './leases.ts';
import { type RecordsKind, RecordsSuite } from './records-under-test.ts';
import { timeToLiveTests } from './time-to-live.ts';

const TOPICS = [
  compareAndSetTests,
  countingTests,
  timeToLiveTests,
  batchTests,
  leaseTests,
  failureTests,
];

export function recordsSuite(kind: RecordsKind, runner: Runner): void {
  runner.describe(`${kind.name} keeps the records contract`, () => {
    const suite = new RecordsSuite(runner, kind);
    for (const declareTopic of TOPICS) declareTopic(suite);
  });
}
