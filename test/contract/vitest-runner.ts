/** Contracts on vitest. */
import { describe, it } from 'vitest';
import type { ContractCase } from '../../src/testing/contract/suite.ts';

export function runCases(name: string, cases: readonly ContractCase[]): void {
  describe(name, () => {
    for (const { topic, name, skip, run } of cases) {
      describe(topic, () => {
        if (skip === undefined) it(name, run);
        else it.skip(`${name} (${skip})`, run);
      });
    }
  });
}
