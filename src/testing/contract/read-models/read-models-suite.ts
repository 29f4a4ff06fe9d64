/**
 * The contract of `src/read-models/read-models.ts` as tests. Every store passes all of it; what
 * only some can do is a named capability. Knows no store and no test runner.
 */

import { randomUUID } from 'node:crypto';
import { type Contract, type ContractCase, contractCases } from '../suite.ts';
import { commitTests } from './commits.ts';
import { failureTests } from './failures.ts';
import type {
  ReadModelCapabilities,
  ReadModelContext,
  ReadModelKind,
  ReadModelUnderTest,
} from './read-models-under-test.ts';
import { rowTests } from './rows.ts';

const READ_MODEL: Contract<ReadModelUnderTest, ReadModelContext, ReadModelCapabilities> = {
  topics: [commitTests, rowTests, failureTests],
  context: (store, keep) => ({
    open: () => keep(store.open()),
    newTable: () => `test.${randomUUID()}@1`,
  }),
};

/** The tests of the contract of read models. */
export function readModelCases(kind: ReadModelKind): ContractCase[] {
  return contractCases(READ_MODEL, kind);
}
