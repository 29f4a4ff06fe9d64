import { MemoryRecords } from '../../../src/stores/memory/records/memory-records.ts';
import { recordsSuite } from '../../../src/testing/contract/records/records-suite.ts';
import { TestClock } from '../../../src/testing/contract/records/records-under-test.ts';
import { vitestRunner } from '../vitest-runner.ts';

recordsSuite(
  {
    name: 'MemoryRecords',
    lacks: {
      lasting: 'they die with their object',
      shared: 'they live inside one object',
      occupy: 'it holds nothing but records',
      lossy: 'nothing lies between it and its caller',
    },
    setup: async () => {
      const clock = new TestClock();
      return {
        open: async () => new MemoryRecords({ clock: clock.read }),
        pass: async (milliseconds) => {
          clock.now += milliseconds;
        },
        dispose: async () => {},
        capabilities: { kept: (records) => (records as MemoryRecords).size },
      };
    },
  },
  vitestRunner,
);
