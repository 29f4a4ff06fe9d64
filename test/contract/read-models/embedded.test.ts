import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EmbeddedStore } from '../../../src/stores/embedded/embedded-store.ts';
import { EmbeddedReadModels } from '../../../src/stores/embedded/read-models/embedded-read-models.ts';
import { openReadModelDatabases } from '../../../src/stores/embedded/read-models/layout.ts';
import { commit, contents } from '../../../src/testing/contract/read-models/contents.ts';
import { readModelCases } from '../../../src/testing/contract/read-models/read-models-suite.ts';
import { eventually } from '../../support/eventually.ts';
import { runCases } from '../vitest-runner.ts';

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'millrace-read-models-'));
}

runCases(
  'EmbeddedReadModels keeps the read-model contract',
  readModelCases({
    name: 'EmbeddedReadModels',
    lacks: {
      shared: 'one process at a time has the folder',
      occupy: 'tables have databases of their own: nothing else can be in them',
      lossy: 'no connection lies between it and its data',
    },
    setup: async () => {
      const folder = newFolder();
      return {
        open: () => EmbeddedReadModels.open(folder),
        dispose: async () => rmSync(folder, { recursive: true, force: true }),
        capabilities: { lasting: true, closing: true, bounded: true },
      };
    },
  }),
);

test('rows of a dropped table are deleted, by the next process if need be', async () => {
  const folder = newFolder();
  const rows = Object.fromEntries(
    Array.from({ length: 3_000 }, (_, index) => [`row ${index}`, '1']),
  );
  const kept = (store: EmbeddedStore): number => {
    const databases = openReadModelDatabases(store);
    const drops = [...databases.drops.getKeys({ start: 0, end: 0xffff_ffff })].length;
    const range = { start: [0, ''], end: [0xffff_ffff, ''] } as const;
    return drops + [...databases.rows.getKeys(range)].length;
  };
  try {
    const first = await EmbeddedStore.open(folder);
    const readModels = EmbeddedReadModels.on(first);
    await commit(readModels, 'a@1', null, 'one', rows);
    await commit(readModels, 'b@1', null, 'one', { a: '1' });
    const dropped = readModels.drop('a@1');
    // No chunk is deleted after this.
    await Promise.all([dropped, readModels.close()]);

    const store = await EmbeddedStore.open(folder);
    expect(kept(store)).toBeGreaterThan(1);
    const again = EmbeddedReadModels.on(store);
    await eventually(() => kept(store) === 1);
    await commit(again, 'a@1', null, 'one', rows);
    await again.drop('a@1');
    await eventually(() => kept(store) === 1);
    expect(await contents(again, 'b@1')).toEqual({ a: '1' });
    await again.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
