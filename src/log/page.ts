/** How much of a log fits on a page. */
import type { StoredEvent } from '../event/event.ts';

/**
 * Takes events while they fit into `limit` and `maxBytes`; the first one always fits, unless
 * `limit` is 0. Looks at one event beyond the page, to tell whether there is more.
 */
export function takePage(
  events: Iterable<StoredEvent>,
  limit: number,
  maxBytes: number,
): { events: StoredEvent[]; more: boolean } {
  const page: StoredEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    bytes += event.size;
    if (page.length >= limit || (page.length > 0 && bytes > maxBytes)) {
      return { events: page, more: true };
    }
    page.push(event);
  }
  return { events: page, more: false };
}
