import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../../src/stores/open.ts';
import { runCases } from '../vitest-runner.ts';
import { decidersCases } from './deciders-suite.ts';

runCases(
  'deciders on the embedded store',
  decidersCases({
    name: 'the embedded store',
    lacks: {},
    setup: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-deciders-'));
      return {
        open: () => openStore(folder),
        dispose: async () => rmSync(folder, { recursive: true, force: true }),
        capabilities: {},
      };
    },
  }),
);
