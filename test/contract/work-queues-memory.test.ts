import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { MemoryWorkQueues } from '../../src/stores/memory/work-queues/memory-work-queues.ts';
import { TestClock } from './records/records-under-test.ts';
import { vitestRunner } from './vitest-runner.ts';
import { workQueuesSuite } from './work-queues-suite.ts';

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
