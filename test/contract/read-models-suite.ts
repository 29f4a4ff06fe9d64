/**
 * The contract of `src/read-models/read-models.ts` as tests. Every store passes all of it; what
 * only some can do is a named capability. Knows no store and no test runner.
 */
import { commitTests } from './read-models/commits.ts';
import { failureTests } from './read-models/failures.ts';
import { type ReadModelKind, ReadModelSuite } from './read-models/read-models-under-test.ts';
import { rowTests } from './read-models/rows.ts';
import type { Runner } from './suite.ts';

const TOPICS = [commitTests, rowTests, failureTests];

export function readModelSuite(kind: ReadModelKind, runner: Runner): void {
  runner.describe(`${kind.name} keeps the read-model contract`, () => {
    const suite = new ReadModelSuite(runner, kind);
    for (const declareTopic of TOPICS) declareTopic(suite);
  });
}
