/** A disk that fails on command, under a process of the test (see failing-disk.c). */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = join(dirname(fileURLToPath(import.meta.url)), 'failing-disk.c');

/** Why there can be no such disk here, if there can be none. */
export const noFailingDisk = reasonAgainst();

export const ERRORS = { EIO: 5, EFBIG: 27, ENOSPC: 28, EDQUOT: 122, short: 0 } as const;

/** What LMDB does with its file, in the order of a commit. */
export type Step = 'page' | 'sync' | 'meta';

export class FailingDisk {
  readonly #folder = mkdtempSync(join(tmpdir(), 'millrace-failing-'));
  readonly #library = join(this.#folder, 'failing-disk.so');
  readonly #control = join(this.#folder, 'control');
  #faults = 0;
  #seen = 0;

  constructor() {
    const args = ['-shared', '-fPIC', '-O1', '-o', this.#library, source, '-ldl'];
    const { status, stderr } = spawnSync('cc', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    this.heal();
  }

  /** The environment of a process on this disk. */
  get env(): Record<string, string> {
    return { LD_PRELOAD: this.#library, FAILING_DISK: this.#control };
  }

  /** From the call after `skip` more on, so many calls of this kind fail. */
  fail(step: Step, error: number, skip = 0, times = 1_000_000): void {
    // The number makes each line another one, from which counting begins.
    this.#faults += 1;
    writeFileSync(this.#control, `${step} ${error} ${skip} ${times} ${this.#faults}\n`);
  }

  heal(): void {
    writeFileSync(this.#control, '');
  }

  /** How many calls of a kind there have been since this was asked last. */
  seen(): Record<Step, number> {
    const path = `${this.#control}.seen`;
    const all = existsSync(path) ? readFileSync(path, 'latin1') : '';
    const letters = all.slice(this.#seen);
    this.#seen = all.length;
    const count = (letter: string) => letters.split(letter).length - 1;
    return { page: count('p'), sync: count('s'), meta: count('m') };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function reasonAgainst(): string | undefined {
  if (process.platform !== 'linux') return 'LD_PRELOAD and /proc are of Linux';
  const { status } = spawnSync('cc', ['-E', '-include', 'dlfcn.h', '-x', 'c', '/dev/null']);
  return status === 0
    ? undefined
    : 'there is no C compiler (Debian: apt-get install gcc libc6-dev)';
}
