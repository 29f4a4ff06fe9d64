import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryWorkQueues } from '../../../src/stores/memory/work-queues/memory-work-queues.ts';
import { workQueuesCases } from '../../../src/testing/contract/work-queues/work-queues-suite.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { runCases } from '../vitest-runner.ts';

runCases(
  'MemoryWorkQueues keeps the contract of work queues',
  workQueuesCases({
    name: 'MemoryWorkQueues',
    lacks: { lasting: 'they die with their object' },
    setup: async () => {
      const clock = new FakeClock();
      const log = new MemoryLog({ clock: clock.now });
      return {
        open: async () => {
          const queues = new MemoryWorkQueues(log, { clock: clock.now });
          return { log, queues, close: () => queues.close() };
        },
        pass: async (milliseconds) => {
          clock.advance(milliseconds);
        },
        dispose: () => log.close(),
        capabilities: {},
      };
    },
  }),
);
