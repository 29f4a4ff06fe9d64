/**
 * `npm run test:faults`: clients through everything that can go wrong, against real gateways and
 * stores. `--seeds N` (default 3), `--first N` (default 1), `--ms N` (how long everything fails in
 * each, default 8,000); other arguments go to vitest.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { fail, root } from './checkout.mjs';
import { ensureInstalled } from './install.mjs';
import { ensureTestPrograms } from './test-programs.mjs';

const settings = { seeds: 3, first: 1, ms: 8_000 };
const rest = [];
const given = process.argv.slice(2);
while (given.length > 0) {
  const flag = given.shift();
  const name = flag.slice(2);
  if (!(flag.startsWith('--') && name in settings)) rest.push(flag);
  else {
    settings[name] = Number(given.shift());
    if (!(settings[name] >= 1)) fail(`${flag} must be a number from 1, as in ${flag} 20`);
  }
}

ensureInstalled();
ensureTestPrograms();
ensureBuilt();
const vitest = join(
  dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  'vitest.mjs',
);
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/faults', ...rest], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    FAULT_SEEDS: String(settings.seeds),
    FAULT_FIRST: String(settings.first),
    FAULT_MS: String(settings.ms),
  },
});
process.exit(status ?? 1);
