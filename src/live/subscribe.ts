/** A subscription as an async iterator, for code that reads in a loop. */
import { type LogName, parseLogName } from '../event/log-name.ts';
import type { Start } from '../event/start.ts';
import { Deliveries } from './deliveries.ts';
import type { Delivery } from './delivery.ts';
import type { Live } from './live.ts';

/** How a loop can be ended from outside. */
export interface SubscribeOptions {
  /** Aborted, it ends the loop, also one that waits: the signal's reason is thrown in it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Everything after `start`, then everything new, for as long as the loop runs. A slow loop costs no
 * memory: what it has not asked for stays in the log.
 *
 *     for await (const delivery of subscribe(live, 'account:1', { after: ZERO_ID })) …
 *
 * What ends it, also while it waits, and at once: what has arrived and was not told yet is in the
 * log, after the last event that was told.
 *   - Leaving the loop, or `return()`: quietly; a `next()` that waits answers `done`.
 *   - Aborting `signal`: throws the signal's reason, which by default is an `AbortError`. So does
 *     `fetch`; Node's own iterators (`events.on`) throw an `AbortError` whose cause is the reason.
 *   - Closing the live delivery, its log or its store: throws Closed.
 *
 * It begins with the first `next()`; before that it holds nothing. After its end it answers `done`.
 * @throws InvalidInput for a bad log name or start; in the loop: Closed, WrongType, the signal's reason
 */
export function subscribe(
  live: Live,
  log: LogName | string,
  start: Start,
  { signal }: SubscribeOptions = {},
): AsyncGenerator<Delivery, void, undefined> {
  const itemOf = (delivery: Delivery) => delivery;
  return new Deliveries({ live, log: parseLogName(log), start, signal, itemOf });
}
