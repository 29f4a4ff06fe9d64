/** A read model of an application, here in SQLite, keeps the same contract as ours. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseLogName } from '../../../src/event/log-name.ts';
import { project } from '../../../src/projection/project.ts';
import { openStore } from '../../../src/stores/open.ts';
import { readModelCases } from '../../../src/testing/contract/read-models/read-models-suite.ts';
import { SqliteReadModel } from '../../support/sqlite-read-model.ts';
import { runCases } from '../vitest-runner.ts';

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'millrace-sqlite-'));
}

runCases(
  'SqliteReadModel keeps the read-model contract',
  readModelCases({
    name: 'SqliteReadModel',
    lacks: {
      closing: 'projections never use it after it is closed',
      bounded: 'a transaction of SQLite may be as large as it likes',
      occupy: 'its tables have columns for nothing else',
      lossy: 'no connection lies between it and its data',
    },
    setup: async () => {
      const folder = newFolder();
      return {
        open: async () => new SqliteReadModel(join(folder, 'rows.db')),
        dispose: async () => rmSync(folder, { recursive: true, force: true }),
        capabilities: { lasting: true, shared: true },
      };
    },
  }),
);

test('a projection keeps its rows in SQLite, and a new version takes their place', async () => {
  const folder = newFolder();
  const store = await openStore(join(folder, 'data'));
  const readModel = new SqliteReadModel(join(folder, 'rows.db'));
  try {
    const log = parseLogName('account:1');
    const counts = { name: 'counts', initial: () => 0, readModel, leaseTime: 200 };
    for (let round = 1; round <= 3; round += 1) {
      await store.log.append(log, [
        { type: 'Counted', payload: 1 },
        { type: 'Counted', payload: 2 },
      ]);
      const projection = project(store, { ...counts, on: { Counted: (count) => count + 1 } });
      await projection.caughtUp();
      expect(await projection.get(log)).toBe(2 * round);
      await projection.stop();
    }
    const next = project(store, { ...counts, version: 2, on: { Counted: (count) => count + 10 } });
    await next.caughtUp();
    expect(await next.get(log)).toBe(60);
    await next.stop();
  } finally {
    await readModel.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
