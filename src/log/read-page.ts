/**
 * What a page of a log is: where it starts, and what its reader is told. Decided here for every
 * store, upon what that keeps (`kept-logs.ts`).
 */
import { type EventId, isAfter, ZERO_ID } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import { type Standing, standingOf, WHOLE } from '../event/standing.ts';
import type { KeptLogs, Sight } from './kept-logs.ts';
import type { Page } from './log.ts';
import type { ReadRequest } from './options.ts';

/**
 * Reads a page.
 *
 * It looks after the cursor, because that is where nearly every reader goes on: one look, and a
 * second one only for who is reset. That one asks about the same cursor again, so that what is told
 * is of the same moment as the events: in between the log may have been trimmed, or filled.
 */
export async function readPage(
  kept: Pick<KeptLogs, 'look'>,
  log: LogName,
  request: ReadRequest,
): Promise<Page> {
  const { after, before, limit, maxBytes, reverse, unchecked } = request;
  const cursor = reverse || unchecked ? undefined : after;
  let from = after;
  for (;;) {
    const range = { after: from, before, reverse };
    const sight = await kept.look(log, { cursor, range, limit, maxBytes });
    if (sight.facts === undefined) return pageOf(sight, WHOLE);
    const standing = standingOf(after, sight.facts);
    if (beginsRight(from, after, standing)) return pageOf(sight, standing);
    from = pageStart(after, standing);
  }
}

/** Whether the page that a reader with cursor `after` gets is what was seen after `from`. */
function beginsRight(from: EventId, after: EventId, standing: Standing): boolean {
  const start = pageStart(after, standing);
  // Nothing is kept up to where a trimmed reader resumes: what was seen comes after that.
  return standing.state === 'trimmed' ? !isAfter(from, start) : from === start;
}

/** After which ID the page begins that a reader with cursor `after` gets. */
function pageStart(after: EventId, standing: Standing): EventId {
  if (standing.state === 'whole') return after;
  return standing.state === 'trimmed' ? standing.resumeAfter : ZERO_ID;
}

function pageOf({ events, more, version }: Sight, standing: Standing): Page {
  return { events, more, version, standing };
}
