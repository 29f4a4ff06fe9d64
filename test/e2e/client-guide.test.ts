/**
 * docs/client.md, run as it says: its pieces of TypeScript are one program, which must compile and
 * print what is behind each `→`, against a gateway as the guide starts it; its page is rendered on a server.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Command, listensOn, millrace, root } from './command.ts';
import { blocksOf } from './readme.ts';

const GUIDE = 'docs/client.md';
const blocks = blocksOf(GUIDE);
const program = blocks.filter(({ language }) => language === 'ts').map(({ text }) => text);
const expected = program.flatMap((text) => [...text.matchAll(/\/\/ (?:.*: )?→ (.*)$/gm)]);
const wanted = expected.flatMap((match) => match[1]!.split(' → '));
const page = blocks.find(({ mode }) => mode === 'page.tsx')!.text;
const testing = blocks.find(({ mode }) => mode === 'testing.mjs')!.text;
// What the browser brings and Node.js 20 does not.
const BROWSER = `
import 'fake-indexeddb/auto';
import { WebSocket as Socket } from 'ws';
Object.assign(globalThis, { WebSocket: Socket });
`;
const RENDERED = `
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { App } from './page.js';
console.log(renderToString(createElement(App)));
`;

let folder: string;

beforeAll(() => {
  // Inside the checkout, where packages are found by their names; git ignores it.
  folder = mkdtempSync(join(root, 'dist.client-guide-'));
  const file = (name: string, text: string) => writeFileSync(join(folder, name), text);
  file('browser.mjs', BROWSER);
  file('guide.ts', `${program.join('\n')}\n`);
  file('page.tsx', page);
  const purse = program.find((text) => text.includes('decider({'))!.split('\nconsole.log')[0]!;
  const imports = "import { defineEvents, type } from 'millrace/client';\n";
  file('purse.ts', imports + purse.replace('const purse =', 'export const purse ='));
  file('rendered.mjs', RENDERED);
  file('testing.mjs', testing);
  const options = { noEmit: false, outDir: '.', rootDir: '.', paths: {} };
  const compilerOptions = { ...options, rewriteRelativeImportExtensions: true };
  const include = ['guide.ts', 'page.tsx', 'purse.ts'];
  file('tsconfig.json', JSON.stringify({ extends: '../tsconfig.json', compilerOptions, include }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) => new Command(process.execPath, args, { cwd: folder });

test('every block is of a kind that is run here', () => {
  expect(program.length).toBeGreaterThan(12);
  expect(wanted.length).toBeGreaterThan(12);
  const others = blocks.filter(({ language }) => language !== 'ts');
  expect(others.map(({ language, mode }) => `${language} ${mode}`.trim())).toEqual([
    ...['sh server', 'tsx page.tsx', 'text', 'js testing.mjs'],
  ]);
  expect(blocks.find(({ language }) => language === 'sh')!.text).toBe(
    'npm install millrace\nnpx millrace serve',
  );
});

test('its links lead somewhere', () => {
  const text = readFileSync(join(root, GUIDE), 'utf8');
  const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1]!);
  const missing = targets.filter((each) => !existsSync(join(root, dirname(GUIDE), each)));
  expect(missing).toEqual([]);
});

test('compiles, with the types that users get', { timeout: 120_000 }, () => {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '-p', folder, '--noUnusedLocals', 'false'];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
});

test('prints what it says', { timeout: 60_000 }, async () => {
  const serve = [millrace, 'serve', '--port', '0', '--store', join(folder, 'data')];
  await using gateway = run(...serve);
  const url = await listensOn(gateway);
  const compiled = join(folder, 'guide.js');
  const text = readFileSync(compiled, 'utf8').replaceAll('http://127.0.0.1:4000', url);
  writeFileSync(compiled, text);
  await using guide = run('--import', './browser.mjs', 'guide.js');
  const status = await guide.ended();
  const lines = guide.stdout.trimEnd().split('\n');
  // Nobody says when the one who follows hears of it: before the append is known, or after.
  expect({ lines: lines.toSorted(), stderr: guide.stderr, status }).toEqual({
    ...{ lines: wanted.toSorted(), stderr: '', status: 0 },
  });
});

test('its page is rendered where there is no browser', { timeout: 30_000 }, async () => {
  await using rendered = run('rendered.mjs');
  expect({ status: await rendered.ended(), stderr: rendered.stderr }).toEqual({
    ...{ status: 0, stderr: '' },
  });
  expect(rendered.stdout).toMatch(/<button type="button" title="connecting">0/);
});

test('its test of an application appends and reads', { timeout: 30_000 }, async () => {
  await using tested = run('testing.mjs');
  expect({ status: await tested.ended(), stderr: tested.stderr }).toEqual({
    ...{ status: 0, stderr: '' },
  });
  expect(tested.stdout).toBe('1\n');
});
