/**
 * The packed package, installed with all that it depends on into an empty project, as compilers and
 * bundlers of users find it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build as esbuild } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { build as vite } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Command, root } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-tools-'));
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, unknown>>;
};
/** As a program imports them. */
const ENTRIES = Object.keys(exports)
  .filter((path) => path !== './package.json')
  .map((path) => path.replace('.', 'millrace'));
const FOR_PAGES = ENTRIES.filter((name) => /\/(client|react)\b/.test(name));

let tarball: string;

async function shell(command: string, cwd: string): Promise<void> {
  await using run = new Command('bash', ['-ec', command], { cwd });
  expect(await run.ended(), run.stderr + run.stdout).toBe(0);
}

/** A project with the package, React of a version, and what Node's types are. */
async function project(react: string): Promise<string> {
  const path = join(folder, `react-${react}`);
  mkdirSync(path);
  writeFileSync(join(path, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  const packages = [tarball, '@types/node@20', `react@${react}`, `@types/react@${react}`];
  await shell(`npm install --prefer-offline --no-audit --no-fund ${packages.join(' ')}`, path);
  return path;
}

const projects: Record<string, string> = {};

beforeAll(async () => {
  await shell(`npm pack --ignore-scripts --pack-destination ${folder}`, root);
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz'))!);
  for (const react of ['18', '19']) projects[react] = await project(react);
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DOM = ['es2022', 'esnext.disposable', 'dom', 'dom.iterable', 'dom.asynciterable'];
const NO_DOM = ['es2022', 'esnext.disposable'];

/** What the compiler says of a program that uses all that is exported, who looks into our declarations too. */
function check(at: string, options: Readonly<Record<string, unknown>>): string {
  const lines = ENTRIES.flatMap((name, index) => [
    `import * as all${index} from '${name}';`,
    `export { all${index} };`,
  ]);
  writeFileSync(join(at, 'program.ts'), lines.join('\n'));
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    ...options,
  };
  writeFileSync(
    join(at, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['program.ts'] }),
  );
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '--pretty', 'false', '-p', at], {
    encoding: 'utf8',
  });
  return stdout + stderr;
}

describe.each(['18', '19'])('its types, beside those of React %s', (react) => {
  test.each([
    ['in a page, by a bundler', { types: [], lib: DOM, module: 'preserve' }],
    ['in a page, with those of Node', { types: ['node'], lib: DOM }],
    ['in Node, without those of a browser', { types: ['node'], lib: NO_DOM }],
  ])('%s', (_where, options) => {
    expect(check(projects[react]!, options)).toBe('');
  });
});

test('the check sees a dependency whose own declarations are broken', () => {
  const declarations = join(projects['19']!, 'node_modules', 'millrace', 'dist', 'index.d.ts');
  const right = readFileSync(declarations, 'utf8');
  try {
    writeFileSync(declarations, `import type {} from 'lmdb';\n${right}`);
    expect(check(projects['19']!, { types: ['node'], lib: DOM })).toContain('node_modules/lmdb/');
  } finally {
    writeFileSync(declarations, right);
  }
});

test('publint has nothing to say', async () => {
  const { messages, pkg } = await publint({
    pkgDir: join(projects['19']!, 'node_modules', 'millrace'),
    pack: false,
    strict: true,
  });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

/**
 * The package is ESM alone: Node from 20.19 on loads that with `require` too, and two copies of one class
 * (a store, an error) would not know each other. So what attw says of CommonJS does not count.
 */
test('attw finds the types of each entry where a program looks for them', () => {
  const attw = join(
    dirname(createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json')),
    'dist/index.js',
  );
  const { stdout, status } = spawnSync(
    process.execPath,
    [attw, tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'],
    { encoding: 'utf8' },
  );
  expect(status, stdout).toBe(0);
  for (const entry of ENTRIES) expect(stdout).toContain(`"${entry}"`);
});

describe('a bundle for a browser', () => {
  /** What browsers have of what these modules use as they are loaded. */
  const web = { atob, btoa, console, TextDecoder, TextEncoder };
  const source = FOR_PAGES.map((name, index) => `export * as all${index} from '${name}';`);

  function entryIn(at: string): string {
    const path = join(at, 'page.js');
    writeFileSync(path, source.join('\n'));
    return path;
  }

  /** Runs it where there is nothing of Node. */
  function names(code: string): string[] {
    const loaded = runInContext(`${code}\n;bundle`, createContext({ ...web })) as object;
    return Object.values(loaded).flatMap((all) => Object.keys(all as object));
  }

  const expected = () =>
    expect.arrayContaining(['connect', 'view', 'handle', 'indexedDb', 'MillraceProvider']);

  test.each(['18', '19'])('by esbuild, with React %s', async (react) => {
    const { outputFiles, warnings } = await esbuild({
      entryPoints: [entryIn(projects[react]!)],
      bundle: true,
      format: 'iife',
      globalName: 'bundle',
      platform: 'browser',
      define: { 'process.env.NODE_ENV': '"production"' },
      write: false,
    });
    expect(warnings).toEqual([]);
    expect(names(outputFiles[0]!.text)).toEqual(expected());
  });

  test('by Vite', async () => {
    const at = projects['19']!;
    const warnings: string[] = [];
    const built = await vite({
      root: at,
      configFile: false,
      logLevel: 'silent',
      define: { 'process.env.NODE_ENV': '"production"' },
      build: {
        write: false,
        minify: false,
        lib: { entry: entryIn(at), formats: ['iife'], name: 'bundle' },
        rolldownOptions: {
          onLog(_level, { code, message }) {
            // `'use client'` is for frameworks that render on a server; a page needs nothing of it.
            if (code !== 'MODULE_LEVEL_DIRECTIVE') warnings.push(message);
          },
        },
      },
    });
    const [output] = built as { readonly output: readonly { readonly code: string }[] }[];
    const { code } = output!.output[0]!;
    expect(warnings).toEqual([]);
    // What Vite puts in place of a module of Node.
    expect(code).not.toContain('__vite-browser-external');
    expect(names(code)).toEqual(expected());
  });

  test('would not be made of what is for servers', async () => {
    const at = projects['19']!;
    const path = join(at, 'server.js');
    writeFileSync(path, "export * from 'millrace';");
    await expect(
      esbuild({ entryPoints: [path], bundle: true, write: false, logLevel: 'silent' }),
    ).rejects.toThrow('node:');
  });
});
