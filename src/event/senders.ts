/**
 * Who wrote an event. What came through a gateway carries its mark, `meta.from`; what has none was
 * written by the application itself, beside the gateway, on the same store.
 *
 *   meta.from      absent              the application
 *                  account:42          that account, by what it was asked for
 *                  anonymous           somebody, through a gateway that did not ask
 */
import type { StoredEvent } from './event.ts';

/** The mark of what came through a gateway that knows nobody. No log has this name. */
export const ANONYMOUS = 'anonymous';

/** By the mark of the gateway; undefined for what the application wrote. */
export function senderOf(event: StoredEvent): string | undefined {
  // Most events are told apart without parsing their meta: a gateway writes the word as it is.
  if (event.rawMeta?.includes('"from"') !== true) return undefined;
  const from = event.meta?.from;
  return from === undefined ? undefined : String(from);
}
