/**
 * Brings node_modules up to date with package-lock.json, and does nothing when it is.
 *
 * A stamp inside node_modules holds the fingerprint of the lock file that was installed. It is
 * gone with node_modules, and `npm ci` starts by removing that, so an installation that was
 * interrupted is never taken for a finished one.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, root } from './checkout.mjs';

const lockFile = join(root, 'package-lock.json');
const stampFile = join(root, 'node_modules', '.millrace-installed');
// npm writes this at the end of every installation.
const npmStampFile = join(root, 'node_modules', '.package-lock.json');

export function ensureInstalled() {
  const wanted = fingerprint();
  if (readText(stampFile) === wanted) return;
  if (!installedByHand()) {
    process.stderr.write('Installing what package-lock.json lists (npm ci) …\n');
    npm(['ci', '--include=dev', '--no-audit', '--no-fund']);
  }
  writeFileSync(stampFile, wanted);
}

/** The lock file, for this platform: a node_modules that was copied from another one is of no use. */
function fingerprint() {
  const hash = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  return `${hash} ${process.platform} ${process.arch}\n`;
}

/** Whether somebody ran npm after the lock file last changed. */
function installedByHand() {
  const installed = modified(npmStampFile);
  const stamped = modified(stampFile) ?? 0;
  return installed !== undefined && installed >= modified(lockFile) && installed > stamped;
}

function npm(args) {
  // Under `npm start` npm says where it is; called directly, it is looked up on the PATH.
  const self = process.env.npm_execpath;
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  const result = self?.endsWith('.js')
    ? spawnSync(process.execPath, [self, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
  if (result.status !== 0) fail(`npm ${args[0]} failed: what it printed above says why.`);
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) ensureInstalled();
