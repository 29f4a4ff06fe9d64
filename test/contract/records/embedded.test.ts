import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EmbeddedStore } from '../../../src/stores/embedded/embedded-store.ts';
import { EmbeddedRecords } from '../../../src/stores/embedded/records/embedded-records.ts';
import { openRecordDatabases } from '../../../src/stores/embedded/records/layout.ts';
import { openStore } from '../../../src/stores/open.ts';
import { recordsCases } from '../../../src/testing/contract/records/records-suite.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { randomLog } from '../../support/names.ts';
import { runCases } from '../vitest-runner.ts';

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'millrace-records-'));
}

runCases(
  'EmbeddedRecords keeps the records contract',
  recordsCases({
    name: 'EmbeddedRecords',
    lacks: {
      shared: 'one process at a time has the folder',
      occupy: 'records have a table of their own: nothing else can be in it',
      lossy: 'no connection lies between it and its data',
    },
    setup: async () => {
      const clock = new FakeClock();
      const folder = newFolder();
      const stores = new Map<unknown, EmbeddedStore>();
      return {
        open: async () => {
          const store = await EmbeddedStore.open(folder);
          const records = EmbeddedRecords.on(store, { clock: clock.now });
          stores.set(records, store);
          return records;
        },
        pass: async (milliseconds) => {
          clock.advance(milliseconds);
        },
        dispose: async () => rmSync(folder, { recursive: true, force: true }),
        capabilities: {
          lasting: true,
          kept: (records) => {
            const databases = openRecordDatabases(stores.get(records)!);
            const kept = [...databases.records.getKeys({ start: '', end: '~' })].length;
            const range = { start: [0, ''], end: [Number.MAX_SAFE_INTEGER, ''] } as const;
            // Here all have a time to live: the order in which it ends is to hold the same.
            expect([...databases.expiry.getKeys(range)]).toHaveLength(kept);
            return kept;
          },
        },
      };
    },
  }),
);

test('the log and the records share a folder, and close it together', async () => {
  const folder = newFolder();
  const log = randomLog();
  const first = await openStore(folder);
  try {
    await Promise.all([
      first.log.append(log, [{ type: 'Tested', payload: '' }]),
      first.records.compareAndSet('key', null, 'value'),
    ]);
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'store_locked' });
    await first.log.close();
    expect(await first.records.get('key')).toBe('value');
    await first.records.compareAndSet('key', 'value', 'later');
    await first.close();
    const second = await openStore(folder);
    expect(await second.records.get('key')).toBe('later');
    expect((await second.log.read(log)).events).toHaveLength(1);
    await second.close();
  } finally {
    await first.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
