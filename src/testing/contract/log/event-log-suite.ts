/**
 * The contract of `src/log/log.ts` as tests. Every store passes all of it; what only some can do
 * is a named capability. Knows no store and no test runner.
 */

import { feedFollowingTests } from '../feed/following.ts';
import { feedTests } from '../feed/pages.ts';
import { type Runner, Suite } from '../suite.ts';
import { appendTests } from './append.ts';
import { closingTests } from './closing.ts';
import { expectedVersionTests } from './expected-version.ts';
import { failingTests } from './failing.ts';
import { followingTests } from './following.ts';
import { foreignTests } from './foreign.ts';
import { idTests } from './ids.ts';
import type { StoreKind } from './log-under-test.ts';
import { payloadTests } from './payloads.ts';
import { producerTests } from './producers.ts';
import { readingTests } from './reading.ts';
import { standingTests } from './standing.ts';
import { trimmingTests } from './trimming.ts';

const TOPICS = [
  appendTests,
  expectedVersionTests,
  producerTests,
  readingTests,
  payloadTests,
  idTests,
  trimmingTests,
  standingTests,
  followingTests,
  feedTests,
  feedFollowingTests,
  foreignTests,
  failingTests,
  closingTests,
];

export function eventLogSuite(kind: StoreKind, runner: Runner): void {
  runner.describe(`${kind.name} keeps the event log contract`, () => {
    const suite = new Suite(runner, kind);
    for (const declareTopic of TOPICS) declareTopic(suite);
  });
}
