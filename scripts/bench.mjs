/** `npm run bench`: installs and builds what is missing, compiles bench/, runs it with the flags given. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { fail, root } from './checkout.mjs';
import { ensureInstalled } from './install.mjs';
import { ensureTestPrograms } from './test-programs.mjs';

ensureInstalled();
ensureTestPrograms();
ensureBuilt();

function run(...args) {
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

const tsc = join(
  dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin',
  'tsc',
);
if (run(tsc, '-p', join('bench', 'tsconfig.json'), '--noCheck') !== 0) {
  fail('bench/ could not be compiled: what tsc printed above says where.');
}
// As it runs where it counts: in development, states are frozen.
process.env.NODE_ENV ??= 'production';
process.exit(run(join('bench', 'build', 'bench', 'main.js'), ...process.argv.slice(2)));
