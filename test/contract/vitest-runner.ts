/** The contract suite on vitest. */
import { describe, it } from 'vitest';
import type { Runner } from '../../src/testing/contract/suite.ts';

export const vitestRunner: Runner = {
  describe: (name, body) => {
    describe(name, body);
  },
  it: (name, body) => {
    it(name, body);
  },
  skip: (name, reason) => {
    it.skip(`${name} (${reason})`, () => {});
  },
};
