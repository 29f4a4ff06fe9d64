/** What the inner contract's suite asks of a store: an event log that shows what it keeps. */
import type { LogName } from '../../../event/log-name.ts';
import type { KeptLogs } from '../../../log/kept-logs.ts';
import type { EventLog } from '../../../log/log.ts';
import type { LogCapabilities, LogUnderTest } from '../log/log-under-test.ts';
import type { StoreKind, Suite } from '../suite.ts';

export interface KeepingLog extends EventLog {
  readonly kept: KeptLogs;
}

export interface KeptLogsUnderTest extends LogUnderTest {
  open(): Promise<KeepingLog>;
}

export type KeptLogsCapabilities = LogCapabilities;

export type KeptLogsKind = StoreKind<KeptLogsUnderTest, KeptLogsCapabilities>;

export interface KeptLogsContext {
  /** Opens the store; closed after the test, if the test has not done that. */
  open(): Promise<KeepingLog>;
  /** A log that nothing else uses. */
  readonly log: LogName;
}

export type KeptLogsSuite = Suite<KeptLogsContext, KeptLogsCapabilities>;
