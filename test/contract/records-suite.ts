/**
 * The contract of `src/records/records.ts` as tests. Every store passes all of it; what only some
 * can do is a named capability. Knows no store and no test runner.
 */
import { batchTests } from './records/batch.ts';
import { compareAndSetTests } from './records/compare-and-set.ts';
import { countingTests } from './records/counting.ts';
import { failureTests } from './records/failures.ts';
import { leaseTests } from './records/leases.ts';
import { type RecordsKind, RecordsSuite } from './records/records-under-test.ts';
import { timeToLiveTests } from './records/time-to-live.ts';
import type { Runner } from './suite.ts';

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
