/** Reads pages of the feed, as many calls of `feed.lua` as it takes, each of them short for Redis. */
import { type EventId, ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import { type EntryMark, type FeedPlace, markedPosition } from '../../../feed/cursor.ts';
import type { FeedPage } from '../../../feed/feed.ts';
import type { FeedRequest } from '../../../feed/options.ts';
import { FeedPageBuilder, type StretchPlace } from '../../../feed/page.ts';
import { type FeedFacts, placeInFeed } from '../../../feed/standing.ts';
import { FEED_KEY } from '../keys.ts';
import { decodeEntries } from '../log/entries.ts';
import type { Script } from '../place/scripts.ts';
import { feedOfOthers } from './feed-of-others.ts';
import { FEED_SCRIPT } from './scripts.ts';

/** What one call gives at most: Redis does nothing else meanwhile. */
const EVENTS_PER_CALL = 512;
const BYTES_PER_CALL = 262_144;

/** After so many calls without a single event of the category asked for, the caller gets its empty page. */
const MOST_EMPTY_CALLS = 50;

const LINE_FEED = 0x0a;

/** Calls a script that may be called again; the answer comes as raw bytes. */
export type CallScript = (
  script: Script,
  keys: readonly string[],
  values: readonly (string | number)[],
) => Promise<unknown>;

interface Reply extends FeedFacts {
  /** The body ends within its last entry. */
  readonly isWithin: boolean;
  readonly body: Buffer;
}

export class FeedReader {
  readonly #call: CallScript;

  constructor(call: CallScript) {
    this.#call = call;
  }

  async page(request: FeedRequest): Promise<FeedPage> {
    const { limit, maxBytes, prefix } = request;
    let reply = await this.#read(request.after, limit, maxBytes, prefix);
    const { standing, from } = placeInFeed(request.after, reply);
    const page = new FeedPageBuilder(request, standing, from);
    if (standing !== 'whole') reply = await this.#read(from, limit, maxBytes, prefix);
    for (let calls = 1; ; calls += 1) {
      const before = page.place;
      takeBody(page, reply);
      // Without progress, a hole in the feed comes next: the next page begins with telling it.
      const isAtEnd = page.place.position >= reply.end || page.place === before;
      const isLongEnough = page.isEmpty && calls >= MOST_EMPTY_CALLS;
      if (page.isFull || isAtEnd || isLongEnough) return page.page(reply);
      reply = await this.#read(page.place, page.room, page.bytesLeft, prefix);
    }
  }

  /** What is known of the feed for who stands at `place`; no event is read for that. */
  facts(place: FeedPlace): Promise<FeedFacts> {
    return this.#read(place, 0, 0, '');
  }

  async #read(place: FeedPlace, limit: number, maxBytes: number, prefix: string): Promise<Reply> {
    const { position, mark, within } = place;
    const reply = await this.#call(
      FEED_SCRIPT,
      [FEED_KEY],
      [
        position,
        mark === undefined ? 0 : markedPosition(place),
        within?.stretch ?? 0,
        within?.after ?? ZERO_ID,
        Math.min(limit, EVENTS_PER_CALL),
        Math.max(0, Math.min(maxBytes, BYTES_PER_CALL)),
        prefix,
      ],
    );
    const [facts, body] = reply as [Buffer, Buffer];
    const [first, next, end, log, last, endLog, endLast, isWithin] = facts
      .toString('latin1')
      .split(' ');
    if ([first, next, end].includes('-1')) {
      throw feedOfOthers();
    }
    return {
      first: Number(first),
      next: Number(next),
      end: Number(end),
      mark: markOf(log!, last!),
      last: markOf(endLog!, endLast!),
      isWithin: isWithin === '1',
      body,
    };
  }
}

function markOf(log: string, last: string): EntryMark | undefined {
  return last === '-' ? undefined : { log: log as LogName, last: last as EventId };
}

/** Puts what fits on the page. What a call has cut short for its own bounds, the next one goes on with. */
function takeBody(page: FeedPageBuilder, { body, isWithin }: Reply): void {
  let offset = 0;
  let entry: Omit<StretchPlace, 'index'> | undefined;
  /** Leaves the entry behind, with those of its stretches that were not asked for. */
  const leave = (): void => {
    if (entry !== undefined) page.pass({ ...entry, index: entry.count - 1 });
  };
  while (offset < body.length) {
    const end = body.indexOf(LINE_FEED, offset);
    const words = body.toString('latin1', offset, end).split(' ');
    offset = end + 1;
    if (words[0] === 'entry') {
      leave();
      const [, position, count, log, last] = words;
      const mark = { log: log as LogName, last: last as EventId };
      entry = { position: Number(position), count: Number(count), mark };
      continue;
    }
    if (page.isFull) return;
    const [index, log, whole, complete, bytes] = words;
    const until = offset + Number(bytes);
    const events = decodeEntries(body, offset, until)!;
    offset = until;
    const at = { ...entry!, index: Number(index) };
    if (!page.add({ log: log as LogName }, at, events, whole === '1', complete === '1')) return;
  }
  if (!isWithin) leave();
}
