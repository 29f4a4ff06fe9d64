/**
 * The contracts of `src/log/log.ts` and `src/feed/feed.ts` as tests. Every store passes all of it; what only some can do
 * is a named capability. Knows no store and no test runner.
 */

import { feedCursorTests } from '../feed/cursors.ts';
import { feedFollowingTests } from '../feed/following.ts';
import { feedTests } from '../feed/pages.ts';
import { type Contract, type ContractCase, contractCases } from '../suite.ts';
import { appendTests } from './append.ts';
import { beforeTests } from './before.ts';
import { closingTests } from './closing.ts';
import { expectedVersionTests } from './expected-version.ts';
import { failingTests } from './failing.ts';
import { followingTests } from './following.ts';
import { foreignTests } from './foreign.ts';
import { idTests } from './ids.ts';
import {
  type LogCapabilities,
  type LogContext,
  type LogKind,
  type LogUnderTest,
  newLog,
} from './log-under-test.ts';
import { payloadTests } from './payloads.ts';
import { producerTests } from './producers.ts';
import { readingTests } from './reading.ts';
import { standingTests } from './standing.ts';
import { trimmingTests } from './trimming.ts';

const EVENT_LOG: Contract<LogUnderTest, LogContext, LogCapabilities> = {
  topics: [
    appendTests,
    expectedVersionTests,
    producerTests,
    readingTests,
    beforeTests,
    payloadTests,
    idTests,
    trimmingTests,
    standingTests,
    followingTests,
    feedTests,
    feedCursorTests,
    feedFollowingTests,
    foreignTests,
    failingTests,
    closingTests,
  ],
  context: (store, keep) => ({
    open: (options) => keep(store.open(options)),
    log: newLog(),
    newLog,
  }),
};

/** The tests of the contract of logs, and of the feed of all logs. */
export function eventLogCases(kind: LogKind): ContractCase[] {
  return contractCases(EVENT_LOG, kind);
}
