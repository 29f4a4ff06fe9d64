/**
 * The contract of `src/records/records.ts` as tests. Every store passes all of it; what only some
 * can do is a named capability. Knows no store and no test runner.
 */

import { randomUUID } from 'node:crypto';
import { type Contract, type ContractCase, contractCases } from '../suite.ts';
import { batchTests } from './batch.ts';
import { compareAndSetTests } from './compare-and-set.ts';
import { countingTests } from './counting.ts';
import { failureTests } from './failures.ts';
import { leaseTests } from './leases.ts';
import type {
  RecordsCapabilities,
  RecordsContext,
  RecordsKind,
  RecordsUnderTest,
} from './records-under-test.ts';
import { timeToLiveTests } from './time-to-live.ts';

const RECORDS: Contract<RecordsUnderTest, RecordsContext, RecordsCapabilities> = {
  topics: [
    compareAndSetTests,
    countingTests,
    timeToLiveTests,
    batchTests,
    leaseTests,
    failureTests,
  ],
  context: (store, keep) => ({
    open: () => keep(store.open()),
    pass: (milliseconds) => store.pass(milliseconds),
    newKey: () => `test:${randomUUID()}`,
  }),
};

/** The tests of the contract of records. */
export function recordsCases(kind: RecordsKind): ContractCase[] {
  return contractCases(RECORDS, kind);
}
