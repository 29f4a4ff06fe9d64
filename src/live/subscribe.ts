/** A subscription as an async iterator, for code that reads in a loop. */
import type { MillraceError } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import { type LogName, parseLogName } from '../event/log-name.ts';
import type { Batch } from './batch.ts';
import type { Live } from './live.ts';
import type { Start } from './sink.ts';

/** What a subscription tells, in the order in which it happened. */
export type Delivery =
  | { readonly kind: 'event'; readonly event: StoredEvent }
  /** Everything up to `at` has been told; what comes now comes as it happens. */
  | { readonly kind: 'live'; readonly at: EventId }
  /** Events that were not told were trimmed; it goes on after `resumeAfter`. */
  | { readonly kind: 'trimmed'; readonly resumeAfter: EventId }
  /** The store lost events that were told; it goes on with the first kept one: start afresh. */
  | { readonly kind: 'reset'; readonly version: EventId };

/** How many batches wait for the loop before the subscription stops handing over. */
const MAX_WAITING_BATCHES = 4;

/**
 * Everything after `start`, then everything new, for as long as the loop runs; leaving the loop
 * ends the subscription. A slow loop costs no memory: what it has not asked for stays in the log.
 *
 *     for await (const delivery of subscribe(live, 'account:1', { after: ZERO_ID })) …
 *
 * @throws InvalidInput for a bad log name; in the loop: Closed, WrongType
 */
export async function* subscribe(
  live: Live,
  log: LogName | string,
  start: Start,
): AsyncGenerator<Delivery, void, undefined> {
  const waiting: (Batch | Exclude<Delivery, { kind: 'event' }>)[] = [];
  let failure: MillraceError | undefined;
  let wake: (() => void) | undefined;
  const arrive = (arrival: (typeof waiting)[number]): void => {
    waiting.push(arrival);
    wake?.();
  };
  const subscription = live.subscribe(parseLogName(log), start, {
    ready: () => waiting.length < MAX_WAITING_BATCHES,
    batch: arrive,
    live: (at) => arrive({ kind: 'live', at }),
    trimmed: (resumeAfter) => arrive({ kind: 'trimmed', resumeAfter }),
    reset: (version) => arrive({ kind: 'reset', version }),
    failed: (error) => {
      failure = error;
      wake?.();
    },
  });
  try {
    while (true) {
      const arrival = waiting.shift();
      if (arrival === undefined) {
        if (failure !== undefined) throw failure;
        subscription.drained();
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (waiting.length > 0 || failure !== undefined) resolve();
        });
      } else if ('kind' in arrival) {
        yield arrival;
      } else {
        for (const event of arrival.events) yield { kind: 'event', event };
      }
    }
  } finally {
    subscription.close();
  }
}
