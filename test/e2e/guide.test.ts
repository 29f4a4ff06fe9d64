/**
 * docs/event-sourcing.md, run as it says: its pieces of TypeScript are one program, which must
 * compile and print what is behind each `→` (`…` stands for anything); then its commands.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Command, millrace, root } from './command.ts';
import { type Block, blocksOf } from './readme.ts';

const GUIDE = 'docs/event-sourcing.md';
const blocks = blocksOf(GUIDE);
const program = blocks.filter(({ language }) => language === 'ts').map(({ text }) => text);
const expected = program.flatMap((text) => [...text.matchAll(/\/\/ → (.*)$/gm)]);

let folder: string;

beforeAll(() => {
  // Inside the checkout, where `millrace` is found by its name; git ignores it.
  folder = mkdtempSync(join(root, 'dist.guide-'));
  writeFileSync(join(folder, 'guide.ts'), `${program.join('\n')}\n`);
  const settings = { noEmit: false, outDir: '.', rootDir: '.', paths: {} };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../tsconfig.json',
      compilerOptions: settings,
      include: ['guide.ts'],
    }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every block is of a kind that is run here', () => {
  expect(program.length).toBeGreaterThan(10);
  expect(expected.length).toBeGreaterThan(10);
  expect(blocks.filter(({ language }) => !['ts', 'js', 'sh'].includes(language))).toEqual([]);
});

test('its links lead somewhere', () => {
  const text = readFileSync(join(root, GUIDE), 'utf8');
  const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1]!);
  expect(targets.filter((each) => !existsSync(join(root, dirname(GUIDE), each)))).toEqual([]);
});

describe('as a program', () => {
  test('compiles, with the types that users get', { timeout: 120_000 }, () => {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout, status } = spawnSync(
      process.execPath,
      [tsc, '-p', folder, '--noUnusedLocals', 'false'],
      {
        encoding: 'utf8',
      },
    );
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  });

  test('prints what it says', { timeout: 60_000 }, async () => {
    await using run = new Command(process.execPath, [join(folder, 'guide.js')], { cwd: folder });
    const status = await run.ended();
    expect(run.stderr).toBe('');
    const lines = run.stdout.trimEnd().split('\n');
    const wanted = expected.flatMap((match) => match[1]!.split(' → '));
    expect({ lines: lines.map((line, index) => matching(line, wanted[index])), status }).toEqual({
      lines: wanted,
      status: 0,
    });
  });

  test('leaves behind what its commands work on', { timeout: 60_000 }, async () => {
    const [modules, commands] = ['js', 'sh'].map((language) =>
      blocks.filter((block) => block.language === language),
    ) as [Block[], Block[]];
    for (const { mode, text } of modules) writeFileSync(join(folder, mode), text);
    expect([modules.length, commands.length]).toEqual([2, 1]);
    const script = commands[0]!.text.replaceAll(
      'npx millrace',
      `"${process.execPath}" "${millrace}"`,
    );
    await using run = new Command('bash', ['-ec', script], { cwd: folder });
    const status = await run.ended();
    expect({ status, stderr: run.stderr }).toEqual({
      status: 0,
      stderr: 'The group letters has no dead letters.\n',
    });
    expect(run.stdout).toMatch(/openings/);
  });
});

test('its tests of a read model are run by the test runner of Node', async () => {
  const { mode, text } = blocks.find(({ mode }) => mode === 'read-model.test.mjs')!;
  writeFileSync(join(folder, mode), text);
  const args = ['--test', '--test-reporter', 'tap', mode];
  await using run = new Command(process.execPath, args, { cwd: folder });
  const status = await run.ended();
  expect({ status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' });
  expect(run.stdout).toMatch(/^# pass \d{2}$[\s\S]*^# fail 0$[\s\S]*^# skipped [1-9]/m);
  expect(run.stdout).toMatch(/# SKIP lossy: no connection lies between/);
});

/** What was wanted, if that is what the line says. */
function matching(line: string, wanted = ''): string {
  const pattern = wanted.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.+')}$`).test(line) ? wanted : line;
}
