/** A small file system of a test's own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why none can be made here, if none can. */
export const noMount = reasonAgainstMounting();

/** @param size as `mount` takes it, like `24m` */
export function mountSmallDisk(folder: string, size: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', folder]);
}

export function unmount(folder: string): void {
  execFileSync('umount', ['--lazy', folder]);
}

function reasonAgainstMounting(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return 'only root on Linux can mount a small file system';
  }
  const disk = mkdtempSync(join(tmpdir(), 'millrace-mount-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', disk]);
  if (status === 0) execFileSync('umount', [disk]);
  rmSync(disk, { recursive: true });
  return status === 0 ? undefined : 'this system lets nobody mount a file system';
}
