/**
 * The programs that the tests run and npm does not have: `redis-server`, which they cannot do
 * without; `curl`, for what the README shows; and on Linux `strace`, which shows that an acknowledged
 * append was flushed to disk, and `gcc`, for a disk that fails on command.
 * On Debian and its children root gets them from the distribution; others are told how.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { fail } from './checkout.mjs';

const OLDEST_REDIS = 7;

export function ensureTestPrograms() {
  const missing = [
    'redis-server',
    'curl',
    ...(process.platform === 'linux' ? ['strace', 'gcc'] : []),
  ].filter((program) => !onPath(program));
  if (missing.includes('gcc')) missing.push('libc6-dev');
  if (missing.length > 0 && mayInstall()) aptInstall(missing);
  if (!onPath('redis-server')) {
    fail(
      [
        'The tests start their own redis-server and found none on the PATH. To get it:',
        '  Debian, Ubuntu   sudo apt-get update && sudo apt-get install -y redis-server',
        '  Fedora           sudo dnf install redis',
        '  macOS            brew install redis',
        '  others           https://redis.io/docs/latest/operate/oss_and_stack/install/',
        'Then run the tests again.',
      ].join('\n'),
    );
  }
  checkRedisVersion();
}

/** @returns the path of a Chromium for `npm run test:browser`; `CHROMIUM` names another one */
export function ensureChromium() {
  const names = [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'];
  const find = () => names.map((name) => name && whereIs(name)).find(Boolean);
  if (find() === undefined && mayInstall()) aptInstall(['chromium']);
  return (
    find() ??
    fail(
      [
        'The browser tests need Chromium or Chrome and found neither on the PATH. To get it:',
        '  Debian           sudo apt-get update && sudo apt-get install -y chromium',
        '  others           install Chrome, and say where it is:',
        '                   CHROMIUM=/path/to/chrome npm run test:browser',
      ].join('\n'),
    )
  );
}

function checkRedisVersion() {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  const version = /v=(\d+)\.\S+/.exec(stdout ?? '');
  if (version !== null && Number(version[1]) < OLDEST_REDIS) {
    fail(
      `The tests need redis-server ${OLDEST_REDIS}.0 or later; the one on the PATH says ${stdout}`,
    );
  }
}

function mayInstall() {
  return existsSync('/etc/debian_version') && process.getuid?.() === 0 && onPath('apt-get');
}

function aptInstall(programs) {
  process.stderr.write(`Installing from Debian: ${programs.join(', ')} …\n`);
  withoutStartingServices(() => {
    const options = {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    };
    spawnSync('apt-get', ['update', '-qq'], options);
    // One by one: what cannot be had must not keep the others from coming.
    for (const program of programs) {
      spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', program], options);
    }
  });
}

/** Debian starts a service as it installs it, unless this file says no: the tests start their own. */
function withoutStartingServices(work) {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return work();
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return work();
  } finally {
    rmSync(policy);
  }
}

function onPath(program) {
  return whereIs(program) !== undefined;
}

function whereIs(program) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => resolve(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
