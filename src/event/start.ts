/** Where a reader of a log starts. */
import type { EventId } from './event-id.ts';

export type Start =
  /** After the last event that the reader has seen; `0-0`: from the first kept event. Checked. */
  | { readonly after: EventId }
  /** With the first event at or after this time, in milliseconds since 1970. Names no event, so it is not checked. */
  | { readonly since: number }
  /** With the last so many events that are kept, 1 to 10,000. Names no event, so it is not checked. */
  | { readonly last: number }
  /** With the next event that comes. Not checked. */
  | 'now';

/** How many events {@link Start}'s `last` may ask for. */
export const MAX_LAST = 10_000;
