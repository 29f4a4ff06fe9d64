import { MemoryRecords } from '../../../src/stores/memory/records/memory-records.ts';
import { recordsCases } from '../../../src/testing/contract/records/records-suite.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { runCases } from '../vitest-runner.ts';

runCases(
  'MemoryRecords keeps the records contract',
  recordsCases({
    name: 'MemoryRecords',
    lacks: {
      lasting: 'they die with their object',
      shared: 'they live inside one object',
      occupy: 'it holds nothing but records',
      lossy: 'nothing lies between it and its caller',
    },
    setup: async () => {
      const clock = new FakeClock();
      return {
        open: async () => new MemoryRecords({ clock: clock.now }),
        pass: async (milliseconds) => {
          clock.advance(milliseconds);
        },
        dispose: async () => {},
        capabilities: { kept: (records) => (records as MemoryRecords).size },
      };
    },
  }),
);
