import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { openStore, type Store } from '../../../src/stores/open.ts';
import { decidersSuite } from './deciders-suite.ts';

describe('deciders on the embedded store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-deciders-'));
  let store: Store;

  beforeAll(async () => {
    store = await openStore(folder);
  });

  afterAll(async () => {
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  decidersSuite(it, async () => store);
});
