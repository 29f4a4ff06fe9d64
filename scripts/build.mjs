/**
 * Builds src/ into dist/: TypeScript by tsc, the Lua scripts copied next to what loads them.
 * Does nothing when dist/ was made from the same sources.
 *
 * The new dist/ is made beside the old one and then takes its place, so that nobody finds half
 * of it, and a build that fails leaves the old one alone. Types are `npm run typecheck`'s
 * business: a wrong one must not keep a server from starting.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, root } from './checkout.mjs';

const dist = join(root, 'dist');
const stampName = '.built-from';
const configuration = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

export function ensureBuilt() {
  const sources = sourceFiles();
  const wanted = fingerprint(sources);
  if (readText(join(dist, stampName)) === wanted) return;
  const next = join(root, `dist.next-${process.pid}`);
  try {
    compile(next);
    for (const path of sources.filter((each) => each.endsWith('.lua'))) {
      const target = join(next, path.slice('src/'.length));
      mkdirSync(dirname(target), { recursive: true });
      cpSync(join(root, path), target);
    }
    chmodSync(join(next, 'cli', 'millrace.js'), 0o755);
    writeFileSync(join(next, stampName), wanted);
    replaceDist(next);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}

function compile(outDir) {
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  const tsc = join(dirname(typescript), 'bin', 'tsc');
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', outDir, '--noCheck'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail('The build failed: what tsc printed above says where.');
}

/** Two builds at once may both get here; the last one stays. */
function replaceDist(next) {
  const old = join(root, `dist.old-${process.pid}`);
  for (let attempt = 1; ; attempt += 1) {
    try {
      renameSync(dist, old);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    try {
      renameSync(next, dist);
      break;
    } catch (error) {
      if (attempt === 10 || (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST')) throw error;
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  }
}

function sourceFiles() {
  return readdirSync(join(root, 'src'), { recursive: true })
    .map((path) => `src/${path.replaceAll('\\', '/')}`)
    .filter((path) => statSync(join(root, path)).isFile())
    .sort();
}

function fingerprint(sources) {
  const hash = createHash('sha256');
  for (const path of [...configuration, ...sources]) {
    const content = readFileSync(join(root, path));
    hash.update(`${path} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) ensureBuilt();
