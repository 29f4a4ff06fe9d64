import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryWorkQueues } from '../../../src/stores/memory/work-queues/memory-work-queues.ts';
import { TestClock } from '../../../src/testing/contract/records/records-under-test.ts';
import { workQueuesSuite } from '../../../src/testing/contract/work-queues/work-queues-suite.ts';
import { vitestRunner } from '../vitest-runner.ts';

workQueuesSuite(
  {
    name: 'MemoryWorkQueues',
    lasting: 'they die with their object',
    setup: async () => {
      const clock = new TestClock();
      const log = new MemoryLog({ clock: clock.read });
      return {
        open: async () => {
          const queues = new MemoryWorkQueues(log, { clock: clock.read });
          return { log, queues, close: () => queues.close() };
        },
        pass: async (milliseconds) => {
          clock.now += milliseconds;
        },
        dispose: () => log.close(),
      };
    },
  },
  vitestRunner,
);
