/**
 * The contract of `src/read-models/read-models.ts` as tests. Every store passes all of it; what
 * only some can do is a named capability. Knows no store and no test runner.
 */

import type { Runner } from '../suite.ts';
import { commitTests } from './commits.ts';
import { failureTests } from './failures.ts';
import { type ReadModelKind, ReadModelSuite } from './read-models-under-test.ts';
import { rowTests } from './rows.ts';

const TOPICS = [commitTests, rowTests, failureTests];

export function readModelSuite(kind: ReadModelKind, runner: Runner): void {
  runner.describe(`${kind.name} keeps the read-model contract`, () => {
    const suite = new ReadModelSuite(runner, kind);
    for (const declareTopic of TOPICS) declareTopic(suite);
  });
}
