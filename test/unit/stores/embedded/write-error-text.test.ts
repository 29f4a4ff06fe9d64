import { describe, expect, it } from 'vitest';
import { overran, tameWriteErrors } from '../../../../src/stores/embedded/write-error-text.ts';
import 'lmdb';

describe('the text of LMDB that is too long', () => {
  it.runIf(process.platform === 'linux')('can be cut in the version that is in use', () => {
    expect(tameWriteErrors()).toBe(true);
    expect(tameWriteErrors(), 'once is enough').toBe(true);
  });

  it('has damaged the memory from 100 characters on', () => {
    const text =
      'Attempting to write page at position 2588672, size 4096, blocks 1, buffer sizes 4096';
    const error = (message: unknown) => ({ message });
    const of = (length: number) =>
      error(`No space left on device: ${text.padEnd(length, '1').slice(0, length)}`);
    expect([99, 100, 106].map((length) => overran(of(length)))).toEqual([false, true, true]);
    expect(overran(error(`Input/output error${'x'.repeat(200)}`))).toBe(false);
    expect(overran(error(undefined))).toBe(false);
  });
});
