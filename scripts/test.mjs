/** `npm test`: installs and builds what is missing, gets the programs that the tests need, runs vitest with the arguments given. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { buildExamples } from './build-examples.mjs';
import { root } from './checkout.mjs';
import { ensureInstalled } from './install.mjs';
import { ensureTestPrograms } from './test-programs.mjs';

ensureInstalled();
ensureTestPrograms();
ensureBuilt();
buildExamples();

const vitest = join(
  dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  'vitest.mjs',
);
const { status } = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
