import { encodeEvents, storedEvent } from '../../../src/event/event.ts';
import { ZERO_ID } from '../../../src/event/event-id.ts';
import { MemoryLog, type MemoryLogOptions } from '../../../src/stores/memory/log/memory-log.ts';
import { keptLogsCases } from '../../../src/testing/contract/kept-logs/kept-logs-suite.ts';
import type { KeptLogsKind } from '../../../src/testing/contract/kept-logs/kept-logs-under-test.ts';
import { eventLogCases } from '../../../src/testing/contract/log/event-log-suite.ts';
import type { LogUnderTest } from '../../../src/testing/contract/log/log-under-test.ts';
import { runCases } from '../vitest-runner.ts';

const memory: KeptLogsKind = {
  name: 'MemoryLog',
  lacks: {
    shared: 'it lives inside one object',
    occupy: 'it holds nothing but logs',
    foreign: 'nobody else can reach it',
    lossy: 'nothing lies between it and its caller',
  },
  setup: async () => new MemoryUnderTest(),
};

/** Memory that outlives its log, so that it can be opened again. */
class MemoryUnderTest implements LogUnderTest {
  #last = new MemoryLog();

  readonly capabilities: LogUnderTest['capabilities'] = {
    clock: true,
    startAt: async (log, id) => {
      const [encoded] = encodeEvents([{ type: 'Started', payload: '' }]);
      const contents = {
        events: [storedEvent(id, encoded!)],
        version: id,
        trimmed: ZERO_ID,
        producers: new Map(),
      };
      const { logs, feed } = this.#last.snapshot();
      this.#last.restore({
        logs: new Map([...logs, [log, contents]]),
        feed: [...feed, { log, first: id, last: id }],
      });
    },
    backup: async () => {
      const snapshot = this.#last.snapshot();
      return async () => this.#last.restore(snapshot);
    },
  };

  async open(options?: MemoryLogOptions): Promise<MemoryLog> {
    const opened = new MemoryLog(options);
    opened.restore(this.#last.snapshot());
    this.#last = opened;
    return opened;
  }

  async dispose(): Promise<void> {}
}

runCases(`${memory.name} keeps the event log contract`, eventLogCases(memory));
runCases(`${memory.name} keeps logs as pages need them`, keptLogsCases(memory));
