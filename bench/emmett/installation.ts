/**
 * Installs Emmett when the benchmark is run. It stays out of Millrace's own dependencies because
 * its `sqlite3` is compiled where no prebuilt binary can be fetched.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EMMETT_FOLDER } from './emmett.ts';

const STAMP = join(EMMETT_FOLDER, 'node_modules', '.millrace-installed');
const INSTALL_WITHIN_MS = 300_000;
const LINES_OF_A_REASON = 3;

/** Why Emmett cannot be measured; undefined when it is installed and loads. */
export async function ensureEmmett(progress: (text: string) => void): Promise<string | undefined> {
  if (readText(STAMP) === wanted()) return undefined;
  progress('installing Emmett and compiling its SQLite (bench/emmett, once, one to two minutes)');
  const failure = await install();
  if (failure !== undefined) return `npm ci in bench/emmett failed: ${failure}`;
  // npm succeeds where scripts are switched off, and then the binding is missing.
  const load = spawnSync(process.execPath, ['-e', "require('sqlite3')"], {
    cwd: EMMETT_FOLDER,
    encoding: 'utf8',
  });
  if (load.status !== 0) return `sqlite3 does not load: ${ofErrors(load.stderr)}`;
  writeFileSync(STAMP, wanted());
  return undefined;
}

async function install(): Promise<string | undefined> {
  const flags = ['ci', '--no-audit', '--no-fund'];
  const self = process.env.npm_execpath;
  const [command, args] = self?.endsWith('.js')
    ? [process.execPath, [self, ...flags]]
    : ['npm', flags];
  const npm = spawn(command, args, {
    cwd: EMMETT_FOLDER,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: INSTALL_WITHIN_MS,
  });
  let errors = '';
  npm.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  try {
    const [code, signal] = (await once(npm, 'close')) as [number | null, string | null];
    if (signal !== null) return `stopped after ${INSTALL_WITHIN_MS / 1000} s`;
    return code === 0 ? undefined : ofErrors(errors);
  } catch (error) {
    return error instanceof Error ? error.message : `${error}`;
  }
}

/** The lines that tell something to a person. */
function ofErrors(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim());
  const telling = lines.filter((line) => /error|not found|cannot|unable/i.test(line));
  return (telling.length > 0 ? telling : lines).slice(0, LINES_OF_A_REASON).join(' / ');
}

/** For this platform and this Node: a binding that was built for another is of no use. */
function wanted(): string {
  const lock = readFileSync(join(EMMETT_FOLDER, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex');
  return `${hash} ${process.platform} ${process.arch} ${process.versions.modules}\n`;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
