/**
 * Reads pages of the feed, in two kinds of calls, each of them short for Redis: the index, whose
 * only key is the feed (`entries.lua`), and then the events that it tells of, whose keys are the
 * logs that it names (`events.lua`). While the last events of one stretch of the index are read, so
 * is the next one: a page takes one round trip more than its events do.
 *
 *   index 1 ─► events 1 ─► events 2 ─► events 3 ─► events 4 …
 *                          index 2 ─┘
 */
import { ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { FeedPlace } from '../../../feed/cursor.ts';
import type { FeedPage, Stretch } from '../../../feed/feed.ts';
import type { FeedRequest } from '../../../feed/options.ts';
import { FeedPageBuilder } from '../../../feed/page.ts';
import { type FeedFacts, placeInFeed } from '../../../feed/standing.ts';
import { logKey } from '../keys.ts';
import { decodeEntries } from '../log/entries.ts';
import type { CallScript } from '../place/scripts.ts';
import { type IndexPart, type PlacedStretch, readIndex } from './index-reading.ts';
import { EVENTS_SCRIPT } from './scripts.ts';

/** What one call gives at most: Redis does nothing else meanwhile. */
const EVENTS_PER_CALL = 512;
const BYTES_PER_CALL = 262_144;
/** Of how many events one call for the index tells. */
const INDEXED_PER_CALL = 2 * EVENTS_PER_CALL;

/** After so many calls without a single event of the category asked for, the caller gets its empty page. */
const MOST_EMPTY_CALLS = 50;

const LINE_FEED = 0x0a;

export class FeedReader {
  readonly #call: CallScript;

  constructor(call: CallScript) {
    this.#call = call;
  }

  /** What is known of the feed for who stands at `place`; no event is read for that. */
  facts(place: FeedPlace): Promise<FeedFacts> {
    return readIndex(this.#call, place, 0, '');
  }

  /**
   * A log that the index tells of may be gone when its events are asked for. Where the feed is gone
   * as well, or another one, that is what is to be told: the page is read again, from its index on.
   */
  async page(request: FeedRequest): Promise<FeedPage> {
    for (;;) {
      const { page, place } = await this.#page(request);
      if (page.torn === undefined || !isReset(place, await this.facts(place))) return page;
    }
  }

  /** @returns the page, and where it ends */
  async #page(request: FeedRequest): Promise<{ page: FeedPage; place: FeedPlace }> {
    const { limit, prefix } = request;
    let index = await this.#index(request.after, limit, prefix);
    const { standing, from } = placeInFeed(request.after, index);
    const page = new FeedPageBuilder(request, standing, from);
    if (standing !== 'whole') index = await this.#index(from, limit, prefix);
    for (let looks = 1; ; looks += 1) {
      const next = await this.#fill(page, index, prefix);
      // With nothing gone through, a hole in the feed comes next: the next page begins with telling it.
      const isAtEnd = index.through === undefined || index.through.position >= index.end;
      const isLongEnough = page.isEmpty && looks >= MOST_EMPTY_CALLS;
      const { place } = page;
      if (page.isFull || isAtEnd || isLongEnough) return { page: page.page(index), place };
      index = await (next ?? this.#index(place, page.room, prefix));
      // Another feed has taken the place of the one that was read until here: told by the next page, too.
      if (isReset(place, index)) return { page: page.page(index), place };
    }
  }

  #index(place: FeedPlace, room: number, prefix: string): Promise<IndexPart> {
    return readIndex(this.#call, place, Math.min(room, INDEXED_PER_CALL), prefix);
  }

  /**
   * Puts on the page what fits of what the index tells of.
   * @returns the index after this one, where it was worth asking for already
   */
  async #fill(
    page: FeedPageBuilder,
    { stretches, through, end }: IndexPart,
    prefix: string,
  ): Promise<Promise<IndexPart> | undefined> {
    let next: Promise<IndexPart> | undefined;
    let from = 0;
    while (from < stretches.length && !page.isFull) {
      const batch = new Batch(stretches, from, page);
      const events = this.#events(batch, page);
      const isMoreWanted = page.room > batch.least && page.bytesLeft > BYTES_PER_CALL;
      if (batch.to === stretches.length && through!.position < end && isMoreWanted) {
        next ??= this.#index({ ...through!, within: undefined }, page.room - batch.least, prefix);
        // It may be read for nothing.
        next.catch(() => {});
      }
      from += putOn(page, batch, await events);
    }
    // In the entries after the last of these, nothing was asked for.
    if (through !== undefined && from === stretches.length)
      page.pass({ ...through, index: 0, count: 1 });
    return next;
  }

  #events(batch: Batch, page: FeedPageBuilder): Promise<Buffer> {
    const bytes = Math.max(0, Math.min(page.bytesLeft, BYTES_PER_CALL));
    const most = Math.min(page.room, EVENTS_PER_CALL);
    const values = [most, bytes, batch.after, batch.text];
    return this.#call(EVENTS_SCRIPT, batch.keys, values) as Promise<Buffer>;
  }
}

/** Stretches that one call asks for. */
class Batch {
  readonly stretches: readonly PlacedStretch[];
  /** The one after them. */
  readonly to: number;
  /** How many events they have at the least. */
  readonly least: number;
  /** Which event of the first one was read already. */
  readonly after: string;
  readonly keys: readonly string[];
  /** As the script takes them. */
  readonly text: string;

  constructor(all: readonly PlacedStretch[], from: number, { room, place }: FeedPageBuilder) {
    const numbers = new Map<LogName, number>();
    const most = Math.min(room, EVENTS_PER_CALL);
    let [to, least, text] = [from, 0, ''];
    for (; to < all.length && least < most; to += 1) {
      const { log, first, last } = all[to]!;
      let number = numbers.get(log);
      if (number === undefined) {
        number = numbers.size + 1;
        numbers.set(log, number);
      }
      text += `${number} ${first} ${last}\n`;
      least += leastCount(all[to]!);
    }
    this.stretches = all.slice(from, to);
    this.to = to;
    this.least = least;
    this.text = text;
    this.keys = [...numbers.keys()].map(logKey);
    const { position, index } = all[from]!.at;
    const isBegun = place.position + 1 === position && place.within?.stretch === index;
    this.after = isBegun ? place.within!.after : ZERO_ID;
  }
}

function isReset(place: FeedPlace, facts: FeedFacts): boolean {
  return placeInFeed(place, facts).standing === 'reset';
}

/** As `least-count.lua` has it. */
function leastCount({ first, last }: Stretch): number {
  if (first === last) return 1;
  const [milliseconds, from] = first.split('-');
  const [same, to] = last.split('-');
  return milliseconds === same ? Number(to) - Number(from) + 1 : 2;
}

/**
 * Puts what fits on the page. What a call has cut short for its own bounds, the next one goes on with.
 * @returns how many stretches are on the page as a whole
 */
function putOn(page: FeedPageBuilder, { stretches }: Batch, body: Buffer): number {
  let offset = 0;
  for (let number = 0; number < stretches.length; number += 1) {
    if (offset >= body.length || page.isFull) return number;
    const { log, at, isLast } = stretches[number]!;
    const end = body.indexOf(LINE_FEED, offset);
    const [whole, complete, bytes] = body.toString('latin1', offset, end).split(' ');
    offset = end + 1 + Number(bytes);
    const events = decodeEntries(body, end + 1, offset)!;
    if (!page.add({ log }, at, events, whole === '1', complete === '1')) return number;
    // With those of its stretches that were not asked for.
    if (isLast) page.pass({ ...at, index: at.count - 1 });
  }
  return stretches.length;
}
