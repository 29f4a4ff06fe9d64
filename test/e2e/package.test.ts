/** The package as it would be published: what a user's compiler, bundler and shell find in it. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Command, listensOn, root } from './command.ts';
import { readmeBlocks } from './readme.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-package-'));
const installed = join(folder, 'node_modules', 'millrace');
let tarball: string;

/** Unpacked where a user's program finds it, and without any other package. */
beforeAll(() => {
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    stdio: 'ignore',
  });
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz'))!);
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function link(name: string): void {
  const path = join(folder, 'node_modules', name);
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), path);
}

describe('its types', () => {
  const [library] = readmeBlocks().filter(
    ({ section, language }) => section === 'As a library' && language === 'js',
  );
  const program = `
${library!.text}
import * as millrace from 'millrace';
import * as testing from 'millrace/testing';
export const store: millrace.Store = await millrace.openStore('./data');
export { millrace, testing };
`;

  /** What the compiler of a user says, who looks into the declarations of packages too. */
  function check(options: Readonly<Record<string, unknown>>): string {
    writeFileSync(join(folder, 'program.ts'), program);
    const compilerOptions = {
      target: 'es2022',
      module: 'nodenext',
      strict: true,
      skipLibCheck: false,
      noEmit: true,
      ...options,
    };
    const config = { compilerOptions, files: ['program.ts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const args = [tsc, '--pretty', 'false', '-p', folder];
    return spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout;
  }

  test('need no other package, not even those of Node', () => {
    expect(check({ types: [] })).toBe('');
    expect(check({ types: [], module: 'preserve', moduleResolution: 'bundler' })).toBe('');
  });

  test('fit those of Node, without those of a browser', () => {
    link('@types/node');
    link('undici-types');
    expect(check({ types: ['node'], lib: ['es2022', 'esnext.disposable'] })).toBe('');
  });

  test('the check sees what is wrong in a declaration', () => {
    const declarations = join(installed, 'dist', 'index.d.ts');
    const right = readFileSync(declarations, 'utf8');
    try {
      writeFileSync(declarations, `import type {} from 'lmdb';\n${right}`);
      expect(check({ types: [] })).toContain("Cannot find module 'lmdb'");
    } finally {
      writeFileSync(declarations, right);
    }
  });
});

describe('its pages', () => {
  test('link only to what is in the package', () => {
    const lost: string[] = [];
    for (const page of ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...pagesIn('docs')]) {
      const text = readFileSync(join(installed, page), 'utf8');
      for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
        const path = join(dirname(page), target!);
        // Tests and sources are what a page points at as evidence; they stay in the repository.
        if (page !== 'README.md' && /^(test|src|bench)\//.test(path)) continue;
        if (!existsSync(join(installed, path))) lost.push(`${page}: ${target}`);
      }
    }
    expect(lost).toEqual([]);
  });

  function pagesIn(name: string): string[] {
    return readdirSync(join(installed, name))
      .filter((file) => file.endsWith('.md'))
      .map((file) => `${name}/${file}`);
  }
});

describe('as the README has it', () => {
  const project = join(folder, 'project');
  const commands = readmeBlocks()
    .filter(({ language, mode }) => `${language} ${mode}` === 'sh package')
    .map(({ text }) => text);
  const [serve, install] = commands as [string, string];

  beforeAll(async () => {
    expect(commands).toEqual(['npx millrace serve', 'npm install millrace']);
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
    const command = `${install.replace('millrace', tarball)} --prefer-offline --no-audit --no-fund`;
    await using npm = new Command('bash', ['-ec', command], { cwd: project });
    expect(await npm.ended(), npm.stderr).toBe(0);
  }, 120_000);

  test('it is installed, and all that it exports can be imported', () => {
    const source = `
      const all = { ...(await import('millrace')), ...(await import('millrace/testing')) };
      console.log(typeof all.openStore, typeof all.createGateway, typeof all.testStore);`;
    const args = ['--input-type=module', '--eval', source];
    const printed = execFileSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
    expect(printed.trim()).toBe('function function function');
  });

  test('its command serves', async () => {
    // In a process group of its own, all of which Ctrl-C reaches: npx hands no signal on.
    const command = `exec setsid ${serve} --port 0`;
    await using server = new Command('bash', ['-ec', command], { cwd: project });
    expect(await (await fetch(await listensOn(server))).text()).toBe('Healthy');
    expect(existsSync(join(project, 'millrace-data'))).toBe(true);
    process.kill(-server.child.pid!, 'SIGINT');
    await server.ended();
    expect(server.stderr).toContain('stopped');
  });
});
