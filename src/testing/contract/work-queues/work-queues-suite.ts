/**
 * The contract of `src/work-queues/work-queues.ts` as tests. Every store passes all of it. Knows
 * no store and no test runner.
 */

import { randomBytes } from 'node:crypto';
import { parseLogName } from '../../../event/log-name.ts';
import { type Contract, type ContractCase, contractCases } from '../suite.ts';
import { leasingTests } from './leasing.ts';
import { progressTests } from './progress.ts';
import {
  grow,
  type WorkQueuesCapabilities,
  type WorkQueuesContext,
  type WorkQueuesKind,
  type WorkQueuesUnderTest,
} from './work-queues-under-test.ts';

const WORK_QUEUES: Contract<WorkQueuesUnderTest, WorkQueuesContext, WorkQueuesCapabilities> = {
  topics: [leasingTests, progressTests],
  context: async (store, keep) => {
    const first = await keep(store.open());
    const category = randomBytes(6).toString('hex');
    let lastLog = 0;
    return {
      ...first,
      category,
      group: `group-${category}`,
      newLog: () => parseLogName(`${category}:${++lastLog}`),
      grow: (...logs) => Promise.all(logs.map((log) => grow(first.log, log))),
      pass: (milliseconds) => store.pass(milliseconds),
      reopen: async () => {
        await first.close();
        return keep(store.open());
      },
    };
  },
};

/** The tests of the contract of work queues. */
export function workQueuesCases(kind: WorkQueuesKind): ContractCase[] {
  return contractCases(WORK_QUEUES, kind);
}
