import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedStore } from '../../../src/stores/embedded/embedded-store.ts';
import { EmbeddedLog } from '../../../src/stores/embedded/log/embedded-log.ts';
import { EmbeddedWorkQueues } from '../../../src/stores/embedded/work-queues/embedded-work-queues.ts';
import { workQueuesCases } from '../../../src/testing/contract/work-queues/work-queues-suite.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { runCases } from '../vitest-runner.ts';

runCases(
  'EmbeddedWorkQueues keeps the contract of work queues',
  workQueuesCases({
    name: 'EmbeddedWorkQueues',
    lacks: {},
    setup: async () => {
      const clock = new FakeClock();
      const folder = mkdtempSync(join(tmpdir(), 'millrace-work-'));
      return {
        open: async () => {
          const store = await EmbeddedStore.open(folder);
          const log = EmbeddedLog.on(store, { clock: clock.now });
          const queues = EmbeddedWorkQueues.on(store, { clock: clock.now });
          const close = async () => {
            await Promise.all([log.close(), queues.close()]);
          };
          return { log, queues, close };
        },
        pass: async (milliseconds) => {
          clock.advance(milliseconds);
        },
        dispose: async () => rmSync(folder, { recursive: true, force: true }),
        capabilities: { lasting: true },
      };
    },
  }),
);
