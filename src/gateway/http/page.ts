/** A page of a log as an HTTP response. */
import { InvalidInput } from '../../event/error.ts';
import type { StoredEvent } from '../../event/event.ts';
import { cursorBefore, type EventId, makeEventId, ZERO_ID } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Start } from '../../event/start.ts';
import { Batch } from '../../live/batch.ts';
import type { Live } from '../../live/live.ts';
import type { Page, ReadOptions } from '../../log/log.ts';
import {
  type PageFacts,
  pageAround,
  pageEventShape,
  pageEvents,
  resetPage,
  trimmedPage,
} from '../../protocol/page.ts';
import { InPieces, type PieceFormat, SharedPieces } from '../in-pieces.ts';
import type { LargeEvents } from '../large-events.ts';
import { problemResponse } from './problem-response.ts';

const UTF8 = new TextEncoder();
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;

/** What a page needs on its way to its client. */
export interface PageDelivery {
  readonly large: LargeEvents;
  /** Is told how many bytes the response takes until it is sent. */
  hold(bytes: number): void;
  /** Part of it is out, and the rest is not to be had. @throws the error where nothing else ends the response */
  broken(error: unknown): void;
}

/** A page that is longer is written in pieces, as its client takes them. */
const AT_ONCE = 1_048_576;
/** What its stored events may take for that to be tried. */
const STORED_AT_ONCE = AT_ONCE / 2;
/** About what waits of a page in pieces. */
const PIECES_WAITING = 131_072;

/** Reads and writes the page; a cursor that is not whole is a 410 that says how to go on. */
export async function readPage(
  live: Pick<Live, 'read' | 'before'>,
  name: LogName,
  start: Start,
  limitText: string | undefined,
  delivery: PageDelivery,
): Promise<Response> {
  const limit = readLimit(limitText, start);
  const options = await readOptions(live, name, start, limit);
  const page = await live.read(name, options);
  const { standing } = page;
  const { version } = page;
  if (standing.state === 'trimmed') {
    const { resumeAfter } = standing;
    return problemResponse(trimmedPage(name, resumeAfter), {}, { resumeAfter, version });
  }
  if (standing.state === 'reset') return problemResponse(resetPage(name), {}, { version });
  const cursor = page.events.at(-1)?.id ?? (await emptyCursor(live, name, start, page, options));
  const facts = { log: name, cursor, more: start !== 'now' && page.more, version };
  return pageResponse(facts, page.events, delivery);
}

async function readOptions(
  live: Pick<Live, 'before'>,
  name: LogName,
  start: Start,
  limit: number,
): Promise<ReadOptions> {
  if (start === 'now') return { limit: 0, unchecked: true };
  if ('since' in start) return { after: cursorBefore(start.since), unchecked: true, limit };
  if ('last' in start) {
    return { after: await live.before(name, start.last), unchecked: true, limit };
  }
  return { after: start.after, limit };
}

function pageResponse(
  facts: PageFacts,
  events: readonly StoredEvent[],
  delivery: PageDelivery,
): Response {
  const { log, version } = facts;
  const { head, tail } = pageAround(facts);
  const whole = wholePage(head, events, tail);
  delivery.hold(whole?.length ?? PIECES_WAITING);
  return new Response(whole ?? pageInPieces(log, head, events, tail, delivery), {
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      ETag: `"${version}"`,
    },
  });
}

function wholePage(head: string, events: readonly StoredEvent[], tail: string): string | undefined {
  const stored = events.reduce((sum, { size }) => sum + size, 0);
  if (stored > STORED_AT_ONCE) return undefined;
  const body = `${head}${pageEvents(events)}${tail}`;
  return body.length <= AT_ONCE ? body : undefined;
}

function pageInPieces(
  name: LogName,
  head: string,
  events: readonly StoredEvent[],
  tail: string,
  { large, broken }: PageDelivery,
): ReadableStream<Uint8Array> {
  const firstId = events[0]?.id;
  const format: PieceFormat<Uint8Array> = {
    shape: (_log, event) => pageEventShape(event, event.id === firstId),
    frame: ({ text }) => UTF8.encode(text),
    shared: (log, batch) => new SharedPieces(format, log, batch[0]!),
  };
  let isWanted = true;
  const pieces = new InPieces(new Batch(name, events), format, large, () => isWanted);
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => controller.enqueue(UTF8.encode(head)),
      async pull(controller) {
        let piece: Uint8Array | undefined;
        try {
          piece = await pieces.next();
        } catch (error) {
          broken(error);
          return;
        }
        if (piece !== undefined) {
          controller.enqueue(piece);
          pieces.rest();
          return;
        }
        controller.enqueue(UTF8.encode(tail));
        controller.close();
      },
      cancel() {
        isWanted = false;
      },
    },
    { highWaterMark: 0 },
  );
}

/** Where to go on after a page without events. */
async function emptyCursor(
  live: Pick<Live, 'read'>,
  name: LogName,
  start: Start,
  { more, version }: Page,
  { after }: ReadOptions,
): Promise<EventId> {
  if (start === 'now') return version;
  if ('after' in start) return start.after;
  if (!more) return version;
  if ('last' in start) return after ?? ZERO_ID;
  // A cursor names an event, which a time does not: the last one before it.
  const before = makeEventId(Math.max(0, Math.floor(start.since)), 0);
  const { events } = await live.read(name, { before, reverse: true, limit: 1 });
  return events[0]?.id ?? ZERO_ID;
}

function readLimit(text: string | undefined, start: Start): number {
  if (text === undefined) {
    return start !== 'now' && 'last' in start ? start.last : DEFAULT_LIMIT;
  }
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (limit >= 0 && limit <= MAX_LIMIT) return limit;
  throw new InvalidInput('limit', `must be a whole number from 0 to ${MAX_LIMIT}`, 'invalid_query');
}
