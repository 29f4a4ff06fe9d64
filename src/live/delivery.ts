/** What a subscription tells, in the order in which it happened. */
import type { StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';

export type Delivery =
  | { readonly kind: 'event'; readonly event: StoredEvent }
  /** Everything up to `at` has been told; what comes now comes as it happens. */
  | { readonly kind: 'live'; readonly at: EventId }
  /** Events that were not told were trimmed; it goes on after `resumeAfter`. */
  | { readonly kind: 'trimmed'; readonly resumeAfter: EventId }
  /** The store lost events that were told; it goes on with the first kept one: start afresh. */
  | { readonly kind: 'reset'; readonly version: EventId };
