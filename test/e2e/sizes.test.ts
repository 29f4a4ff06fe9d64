/** What a page loads of the client stays within what was reached: `npm run sizes` says where it goes. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './command.ts';

test('a page loads no more than what was reached once, beside what is aimed at', () => {
  const { stdout, status } = spawnSync(process.execPath, [join(root, 'scripts', 'sizes.mjs')], {
    encoding: 'utf8',
  });
  expect(stdout).toMatch(/^connect +[\d,]+ B {2}at most [\d,]+ B {2}aim 6 KB$/m);
  expect(stdout).toMatch(/^indexedDb +\+[\d,]+ B {2}at most [\d,]+ B {2}aim 5 KB$/m);
  expect(stdout).toMatch(/^react +\+[\d,]+ B {2}at most [\d,]+ B {2}aim 2 KB$/m);
  expect(status).toBe(0);
});
