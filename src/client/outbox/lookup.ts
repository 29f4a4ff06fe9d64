/** Looking into a log for one's own events, where the gateway cannot say any more whether it has them. */
import { type EventId, ZERO_ID } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { isA } from '../../event/thrown.ts';
import { Refused } from '../errors.ts';
import { isPassing } from '../passing.ts';
import type { ClientStart, GatewayLink } from '../upstream.ts';
import { markOf } from './mark.ts';

export interface Sighting {
  /** The IDs of the events of each entry that is in the log. */
  readonly found: ReadonlyMap<string, readonly EventId[]>;
  /** What was not found may have been there all the same: the log was trimmed, or may not be read. */
  readonly isBlind: boolean;
  /** The first event that was looked at. */
  readonly first: EventId | undefined;
}

/**
 * Looks for the events of these entries, to the end of the log at the most. An append is atomic, so
 * one event tells of all.
 * @throws what passes: to be looked up again
 */
export async function lookUp(
  link: Pick<GatewayLink, 'page'>,
  log: LogName,
  from: ClientStart,
  keys: ReadonlySet<string>,
): Promise<Sighting> {
  const found = new Map<string, EventId[]>();
  let start = from;
  let isBlind = false;
  let wasReset = false;
  let first: EventId | undefined;
  for (;;) {
    try {
      const { events, cursor, more } = await link.page(log, start);
      first ??= events[0]?.id;
      let last: string | undefined;
      for (const event of events) {
        last = markOf(event)?.key;
        if (last === undefined || !keys.has(last)) continue;
        found.set(last, [...(found.get(last) ?? []), event.id]);
      }
      // The events of one append lie next to each other, but a page may end between them.
      const mayGoOn = last !== undefined && keys.has(last);
      if (!more || (found.size === keys.size && !mayGoOn)) return { found, isBlind, first };
      start = { after: cursor };
    } catch (error) {
      const failure = isA(error, Refused) ? error.failure : undefined;
      if (failure === undefined || isPassing(failure.code)) throw error;
      if (failure.code === 'reset') {
        found.clear();
        wasReset = true;
        start = { after: ZERO_ID };
      } else if (failure.code === 'trimmed' && failure.resumeAfter !== undefined) {
        // What was trimmed from the start of a log that was reset is older than what is looked for.
        isBlind ||= !wasReset;
        start = { after: failure.resumeAfter };
      } else {
        return { found, isBlind: true, first };
      }
    }
  }
}
