import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyEnvironment, makeFiles } from '../../../../src/stores/embedded/new-files.ts';

const isKnown = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-files-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.runIf(isKnown)('new files', () => {
  it('are those that LMDB itself makes', async () => {
    await open(folder, { noSubdir: false, overlappingSync: false }).close();
    const theirs = readFileSync(join(folder, 'data.mdb'));
    expect(emptyEnvironment(theirs.length / 2).equals(theirs)).toBe(true);

    rmSync(join(folder, 'data.mdb'));
    rmSync(join(folder, 'lock.mdb'));
    makeFiles(folder);
    expect(readFileSync(join(folder, 'data.mdb')).equals(theirs)).toBe(true);
  });

  it('have their blocks on the disk before anybody maps them into memory', async () => {
    makeFiles(folder);
    const made = statSync(join(folder, 'lock.mdb'));
    expect(made.blocks * 512).toBeGreaterThanOrEqual(made.size);
    await open(folder, { noSubdir: false, overlappingSync: false }).close();
    const used = statSync(join(folder, 'lock.mdb'));
    expect(used.size, 'LMDB has what it needs').toBe(made.size);
  });

  it('leaves files alone that are there', async () => {
    const root = open<string, string>(folder, { noSubdir: false, encoding: 'string' });
    await root.put('a', '1');
    await root.close();
    const before = readFileSync(join(folder, 'data.mdb'));
    const descriptor = openSync(join(folder, 'lock.mdb'), 'r');
    const readers = readFileSync(join(folder, 'lock.mdb'));
    makeFiles(folder);
    expect(readFileSync(join(folder, 'data.mdb')).equals(before)).toBe(true);
    expect(readFileSync(join(folder, 'lock.mdb')).subarray(0, readers.length)).toEqual(readers);
    expect(fstatSync(descriptor).nlink, 'it is still the same file').toBe(1);
    closeSync(descriptor);
  });
});
