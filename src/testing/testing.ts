/**
 * `millrace/testing`: what tests of applications need, for any test runner.
 *
 *     import { specify, testStore } from 'millrace/testing';
 */
export { MemoryLog, type MemoryLogOptions } from '../stores/memory/log/memory-log.ts';
export {
  MemoryRecords,
  type MemoryRecordsOptions,
} from '../stores/memory/records/memory-records.ts';
export { type Expected, type Given, specify, type When } from './decider-spec.ts';
export { FakeClock } from './fake-clock.ts';
export { seededIds, seededRandom } from './seeded.ts';
export { type TestStore, testStore } from './test-store.ts';
