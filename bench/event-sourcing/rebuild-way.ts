/** A way to keep events and to compute a read model from all of them. */
import type { Spent } from './stopwatch.ts';

export interface RebuildWay {
  /** Appends deposits of 1, in turn to `account:0` to `account:<logs - 1>`; as many as it can until `until`. */
  fill(events: number, logs: number, until: number): Promise<number>;
  /**
   * Computes each account's balance from `events` events.
   * @param attempt names what is built, so that nothing of an earlier one is used
   * @returns the sum of all balances
   */
  rebuild(events: number, attempt: number): Promise<Rebuilt>;
  close(): Promise<unknown>;
}

/** Of the time from the start until the read model holds all events; then of what it holds. */
export interface Rebuilt extends Spent {
  readonly total: number;
}

/** @param target the folder, or the Redis endpoint */
export type OpenRebuildWay = (target: string) => Promise<RebuildWay>;
