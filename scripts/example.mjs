/**
 * `npm run example NAME …`: builds Millrace and examples/NAME/NAME.ts when their sources changed,
 * and runs the example with what else was given. An example imports `millrace` as a user does.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, root } from './checkout.mjs';
import { ensureInstalled } from './install.mjs';

const [name, ...parameters] = process.argv.slice(2);
const examples = join(root, 'examples');
const names = readdirSync(examples).filter((each) =>
  existsSync(join(examples, each, `${each}.ts`)),
);
if (!names.includes(name)) {
  fail(`Which example? One of: ${names.join(', ')}. As in: npm run example ${names[0]}`);
}

ensureInstalled();
const { ensureBuilt } = await import('./build.mjs');
ensureBuilt();

const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
const tsc = join(dirname(typescript), 'bin', 'tsc');
const compiled = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.examples.json'], {
  cwd: root,
  stdio: ['ignore', 2, 2],
});
if (compiled.status !== 0) fail('The example does not compile: what tsc printed above says where.');

// The example sees the arguments as if it had been started by itself.
const program = join(examples, 'built', name, `${name}.js`);
process.argv.splice(1, process.argv.length, program, ...parameters);
await import(pathToFileURL(program).href);
