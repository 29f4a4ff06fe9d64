/**
 * The contract of `src/work-queues/work-queues.ts` as tests. Every store passes all of it. Knows
 * no store and no test runner.
 */
import type { Runner } from '../suite.ts';
import { leasingTests } from './leasing.ts';
import { progressTests } from './progress.ts';
import { type WorkQueuesKind, WorkQueuesSuite } from './work-queues-under-test.ts';

const TOPICS = [leasingTests, progressTests];

export function workQueuesSuite(kind: WorkQueuesKind, runner: Runner): void {
  runner.describe(`${kind.name} keeps the contract of work queues`, () => {
    const suite = new WorkQueuesSuite(runner, kind);
    for (const declareTopic of TOPICS) declareTopic(suite);
  });
}
