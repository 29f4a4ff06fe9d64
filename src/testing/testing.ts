/**
 * `millrace/testing`: what tests of applications need, for any test runner.
 *
 *     import { specify, testStore } from 'millrace/testing';
 *
 * And for whoever writes a store, the tests that ours pass, one by one:
 *
 *     for (const { topic, name, skip, run } of readModelCases(mine)) {
 *       test(`${topic}: ${name}`, { skip }, run);
 *     }
 */
export { MemoryLog, type MemoryLogOptions } from '../stores/memory/log/memory-log.ts';
export {
  MemoryRecords,
  type MemoryRecordsOptions,
} from '../stores/memory/records/memory-records.ts';
export { eventLogCases } from './contract/log/event-log-suite.ts';
export type { LogKind } from './contract/log/log-under-test.ts';
export { readModelCases } from './contract/read-models/read-models-suite.ts';
export type { ReadModelKind } from './contract/read-models/read-models-under-test.ts';
export { recordsCases } from './contract/records/records-suite.ts';
export type { RecordsKind } from './contract/records/records-under-test.ts';
export type { ContractCase } from './contract/suite.ts';
export { workQueuesCases } from './contract/work-queues/work-queues-suite.ts';
export type { WorkQueuesKind } from './contract/work-queues/work-queues-under-test.ts';
export { type Expected, type Given, specify, type When } from './decider-spec.ts';
export { FakeClock } from './fake-clock.ts';
export { seededIds, seededRandom } from './seeded.ts';
export { type TestStore, testStore } from './test-store.ts';
