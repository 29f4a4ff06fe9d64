/** What all readers and followers of one `live` share. */
import { MillraceError } from '../event/error.ts';
import type { EventLog } from '../log/log.ts';
import type { Observer } from '../metrics/observer.ts';
import type { ReadBudget } from './read-budget.ts';
import type { WindowBudget } from './window.ts';

export interface LiveContext {
  readonly log: EventLog;
  readonly budget: ReadBudget;
  readonly windowBudget: WindowBudget;
  /** How much a log's window may hold, in bytes. */
  readonly windowBytes: number;
  /** How much a page should hold, in bytes. */
  readonly pageBytes: number;
  /** How many events a page may hold. */
  readonly pageEvents: number;
  readonly observer: Observer;
  /** One subscription more, or less. */
  subscribed(by: 1 | -1): void;
  /** Waits before a read is tried for the `attempt`th time again. */
  pauseBeforeRetry(attempt: number): Promise<void>;
}

/** Whether trying again later can help. */
export function isPassing(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'unavailable';
}

/** An error that a sink can be told, whatever was thrown. */
export function asMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  return new MillraceError('internal', 'the log could not be read', { cause: error });
}
