import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from '../../../src/decider/sha256.ts';

const byNode = (text: string) => createHash('sha256').update(text).digest('base64url');

test('the example of the standard', () => {
  expect(Buffer.from(sha256('abc'), 'base64url').toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test('whatever is hashed, it comes to what Node comes to: snapshots go by it', () => {
  for (let length = 0; length <= 200; length += 1) {
    expect(sha256('x'.repeat(length))).toBe(byNode('x'.repeat(length)));
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
      expect(sha256(text)).toBe(byNode(text));
    }),
  );
});
