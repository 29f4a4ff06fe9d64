import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type EncodedEvent, encodeEvents } from '../../../src/event/event.ts';
import { type EventId, makeEventId, ZERO_ID } from '../../../src/event/event-id.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import { EmbeddedStore } from '../../../src/stores/embedded/embedded-store.ts';
import {
  COUNTERS_KEY,
  openDatabases,
  writeCounters,
  writeHead,
} from '../../../src/stores/embedded/layout.ts';
import {
  EmbeddedLog,
  type EmbeddedLogOptions,
} from '../../../src/stores/embedded/log/embedded-log.ts';
import { writeEntry } from '../../../src/stores/embedded/log/entry.ts';
import { keptLogsCases } from '../../../src/testing/contract/kept-logs/kept-logs-suite.ts';
import type { KeptLogsKind } from '../../../src/testing/contract/kept-logs/kept-logs-under-test.ts';
import { eventLogCases } from '../../../src/testing/contract/log/event-log-suite.ts';
import type { LogUnderTest } from '../../../src/testing/contract/log/log-under-test.ts';
import { randomLog } from '../../support/names.ts';
import { runCases } from '../vitest-runner.ts';

const embedded: KeptLogsKind = {
  name: 'EmbeddedLog',
  lacks: {
    shared: 'one process at a time has the folder',
    occupy: 'its log names have a table of their own: nothing else can be in it',
    foreign: 'nobody else can write to the folder while it is open',
    lossy: 'no connection lies between it and its data',
  },
  setup: async () => new EmbeddedUnderTest(),
};

class EmbeddedUnderTest implements LogUnderTest {
  readonly #root = mkdtempSync(join(tmpdir(), 'millrace-embedded-'));
  readonly #folder = join(this.#root, 'data');

  readonly capabilities: LogUnderTest['capabilities'] = {
    clock: true,
    startAt: async (log, id) => {
      const [started] = encodeEvents([{ type: 'Started', payload: '' }]);
      await this.writeDirectly(log, id, writeEntry(started!));
    },
    backup: async () => {
      // Opened once, so that there is something to copy.
      await (await this.open()).close();
      const copy = join(this.#root, 'backup');
      cpSync(this.#folder, copy, { recursive: true });
      return async () => {
        rmSync(this.#folder, { recursive: true });
        cpSync(copy, this.#folder, { recursive: true });
      };
    },
  };

  open(options?: EmbeddedLogOptions): Promise<EmbeddedLog> {
    return EmbeddedLog.open(this.#folder, options);
  }

  async dispose(): Promise<void> {
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** Gives a log its first event behind the back of the event log. */
  async writeDirectly(log: LogName, id: EventId, entry: Uint8Array): Promise<void> {
    const store = await EmbeddedStore.open(this.#folder);
    const { logs, events, counters } = openDatabases(store);
    const { lastLog, lastFeed } = counters.get(COUNTERS_KEY) ?? { lastLog: 0, lastFeed: 0 };
    const number = lastLog + 1;
    await counters.put(COUNTERS_KEY, writeCounters({ lastLog: number, lastFeed }));
    await logs.put(log, writeHead({ number, version: id, trimmed: ZERO_ID }));
    await events.put([number, id], entry);
    await store.close(1000);
  }
}

runCases(`${embedded.name} keeps the event log contract`, eventLogCases(embedded));
runCases(`${embedded.name} keeps logs as pages need them`, keptLogsCases(embedded));

it('delivers stored JSON that is broken, and damaged entries', async () => {
  const store = new EmbeddedUnderTest();
  const broken: EncodedEvent = { type: 'T', codec: 'json', data: '{broken', size: 8 };
  const [jsonLog, damagedLog] = [randomLog(), randomLog()];
  await store.writeDirectly(jsonLog, makeEventId(1, 1), writeEntry(broken));
  await store.writeDirectly(damagedLog, makeEventId(1, 1), Uint8Array.of(0xff, 1, 2));
  const eventLog = await store.open();
  try {
    const [json] = (await eventLog.read(jsonLog)).events;
    expect(json).toMatchObject({ type: 'T', payload: '{broken', payloadJson: '"{broken"' });
    const [damaged] = (await eventLog.read(damagedLog)).events;
    expect(damaged?.type).toBe('unknown');
    expect(damaged?.payload).toEqual(Uint8Array.of(0xff, 1, 2));
  } finally {
    await eventLog.close();
    await store.dispose();
  }
});
