/** A page of a log as an HTTP response. */
import { InvalidInput } from '../event/error.ts';
import { cursorBefore, type EventId, makeEventId, ZERO_ID } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Live } from '../live/live.ts';
import type { Page, ReadOptions } from '../log/log.ts';
import { encodeEvent } from '../protocol/json-frames.ts';
import { protocolError } from '../protocol/problem.ts';
import type { StartPoint } from '../protocol/start.ts';
import { problemResponse } from './problem-response.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;

/**
 * Reads and writes the page; a cursor that is not whole is a 410 that says how to go on.
 * @param hold is told how many bytes the response takes
 */
export async function readPage(
  live: Pick<Live, 'read'>,
  name: LogName,
  start: StartPoint,
  limitText: string | undefined,
  hold: (bytes: number) => void = () => {},
): Promise<Response> {
  const limit = readLimit(limitText);
  const page = await live.read(name, readOptions(start, limit));
  const { standing } = page;
  if (standing.state === 'trimmed') return trimmed(name, standing.resumeAfter, page);
  if (standing.state === 'reset') return reset(name, page);
  const cursor = page.events.at(-1)?.id ?? (await emptyCursor(live, name, start, page));
  return pageResponse(name, cursor, start !== 'now' && page.more, page, hold);
}

function readOptions(start: StartPoint, limit: number): ReadOptions {
  if (start === 'now') return { limit: 0, unchecked: true };
  if ('since' in start) return { after: cursorBefore(start.since), unchecked: true, limit };
  return { after: start.after, limit };
}

// The events' JSON is joined, not built again: payloads go through as they were stored.
function pageResponse(
  name: LogName,
  cursor: EventId,
  more: boolean,
  page: Page,
  hold: (bytes: number) => void,
): Response {
  const { events, version } = page;
  const body = `{"log":"${name}","events":[${events.map(encodeEvent).join(',')}],"cursor":"${cursor}","more":${more},"version":"${version}"}`;
  hold(body.length);
  return new Response(body, {
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      ETag: `"${version}"`,
    },
  });
}

/** Where to go on after a page without events. */
async function emptyCursor(
  live: Pick<Live, 'read'>,
  name: LogName,
  start: StartPoint,
  { more, version }: Page,
): Promise<EventId> {
  if (start === 'now') return version;
  if ('after' in start) return start.after;
  if (!more) return version;
  // A cursor names an event, which a time does not: the last one before it.
  const before = makeEventId(Math.max(0, Math.floor(start.since)), 0);
  const { events } = await live.read(name, { before, reverse: true, limit: 1 });
  return events[0]?.id ?? ZERO_ID;
}

function trimmed(name: LogName, resumeAfter: EventId, { version }: Page): Response {
  const error = protocolError(
    'trimmed',
    `events of ${name} up to ${resumeAfter} are no longer kept; go on with after=${resumeAfter}`,
  );
  return problemResponse(error, {}, { resumeAfter, version });
}

function reset(name: LogName, { version }: Page): Response {
  const error = protocolError(
    'reset',
    `the store lost events of ${name} that the cursor had seen; forget what was read and start afresh with after=${ZERO_ID}`,
  );
  return problemResponse(error, {}, { version });
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (limit >= 0 && limit <= MAX_LIMIT) return limit;
  throw new InvalidInput('limit', `must be a whole number from 0 to ${MAX_LIMIT}`, 'invalid_query');
}
