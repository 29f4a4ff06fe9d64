/**
 * The inner contract of `src/log/kept-logs.ts` as tests. What pages are made of it is the business
 * of the contract of logs.
 */
import { newLog } from '../log/log-under-test.ts';
import { type Contract, type ContractCase, contractCases } from '../suite.ts';
import { guardedTrimTests } from './guarded-trims.ts';
import type {
  KeptLogsCapabilities,
  KeptLogsContext,
  KeptLogsKind,
  KeptLogsUnderTest,
} from './kept-logs-under-test.ts';
import { lookingTests } from './looking.ts';

const KEPT_LOGS: Contract<KeptLogsUnderTest, KeptLogsContext, KeptLogsCapabilities> = {
  topics: [lookingTests, guardedTrimTests],
  context: (store, keep) => ({ open: () => keep(store.open()), log: newLog() }),
};

/** The tests of what a store keeps of its logs. */
export function keptLogsCases(kind: KeptLogsKind): ContractCase[] {
  return contractCases(KEPT_LOGS, kind);
}
