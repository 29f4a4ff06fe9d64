/**
 * Builds the examples into examples/built/. They import `millrace` as a user does, which finds
 * dist/ because this package has that name. Types are `npm run typecheck`'s business.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fail, root } from './checkout.mjs';

const examples = join(root, 'examples');

export function exampleNames() {
  return readdirSync(examples).filter((each) => existsSync(join(examples, each, `${each}.ts`)));
}

/** Answers where the program of an example is once it is built. */
export function exampleProgram(name) {
  return join(examples, 'built', name, `${name}.js`);
}

export function buildExamples() {
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  const tsc = join(dirname(typescript), 'bin', 'tsc');
  const compiled = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.examples.json'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (compiled.status !== 0)
    fail('The examples do not compile: what tsc printed above says where.');
}
