import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedStore } from '../../../src/stores/embedded/embedded-store.ts';
import { EmbeddedLog } from '../../../src/stores/embedded/log/embedded-log.ts';
import { EmbeddedWorkQueues } from '../../../src/stores/embedded/work-queues/embedded-work-queues.ts';
import { TestClock } from '../../../src/testing/contract/records/records-under-test.ts';
import { workQueuesSuite } from '../../../src/testing/contract/work-queues/work-queues-suite.ts';
import { vitestRunner } from '../vitest-runner.ts';

workQueuesSuite(
  {
    name: 'EmbeddedWorkQueues',
    lasting: true,
    setup: async () => {
      const clock = new TestClock();
      const folder = mkdtempSync(join(tmpdir(), 'millrace-work-'));
      return {
        open: async () => {
          const store = await EmbeddedStore.open(folder);
          const log = EmbeddedLog.on(store, { clock: clock.read });
          const queues = EmbeddedWorkQueues.on(store, { clock: clock.read });
          const close = async () => {
            await Promise.all([log.close(), queues.close()]);
          };
          return { log, queues, close };
        },
        pass: async (milliseconds) => {
          clock.now += milliseconds;
        },
        dispose: async () => rmSync(folder, { recursive: true, force: true }),
      };
    },
  },
  vitestRunner,
);
