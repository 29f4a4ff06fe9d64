/**
 * Reads the events of many entries of the feed, log by log. A log whose entries lie close to each
 * other is read in one range; single events are got one by one, which then costs less.
 */
import { type EventId, isAfter } from '../../../event/event-id.ts';
import type { FeedChunk } from './chunk.ts';
import type { FeedSource } from './source.ts';

/** How many events one turn of the event loop reads: a few milliseconds' worth. */
const EVENTS_PER_TURN = 4_000;

/** From so many events on, one range is cheaper. */
const WORTH_A_RANGE = 4;

/** More than the entries of any chunk. */
const MOST_ENTRIES = 2 ** 20;

export interface StretchBounds {
  /** How many events, and bytes of events, anybody needs at most of one log. */
  readonly room: number;
  readonly bytes: number;
  /** How many bytes of events may be read in all: further than that is not worth it. */
  readonly mostBytes: number;
  /** Through which event a log is trimmed although there may be some left, by its number. */
  readonly trims: ReadonlyMap<number, EventId>;
}

/**
 * Finds the events of all entries of the chunk. Yields where it has held the turn for long enough.
 * @returns whether it has, or they were too large
 */
export function* readStretches(
  source: FeedSource,
  chunk: FeedChunk,
  bounds: StretchBounds,
): Generator<void, boolean> {
  let untilYield = EVENTS_PER_TURN;
  const order = byLog(chunk);
  for (let from = 0, to = 0; from < order.length; from = to) {
    const number = logIn(order[from]!);
    while (to < order.length && logIn(order[to]!) === number) to += 1;
    const entries = order.subarray(from, to);
    if (isWorthARange(chunk, entries) || bounds.trims.has(number)) {
      untilYield -= readRange(source, chunk, entries, bounds);
    } else {
      for (const entry of entries) {
        const start = chunk.bytes;
        chunk.found(indexIn(entry), start, source.readFirst(chunk, indexIn(entry)) ? 1 : 0);
      }
      untilYield -= entries.length;
    }
    if (chunk.bytes > bounds.mostBytes && chunk.length > 1) return false;
    if (untilYield <= 0) {
      yield;
      untilYield = EVENTS_PER_TURN;
    }
  }
  return true;
}

/**
 * The entries by log, and those of a log in feed order: in the order in which LMDB keeps them, so
 * that one log finds the way that the one before has warmed. Log and index are kept in one number,
 * which is what is sorted fastest.
 */
function byLog(chunk: FeedChunk): Float64Array {
  const order = new Float64Array(chunk.length);
  for (let index = 0; index < order.length; index += 1) {
    order[index] = chunk.logNumber(index) * MOST_ENTRIES + index;
  }
  return order.sort();
}

function logIn(entry: number): number {
  return Math.floor(entry / MOST_ENTRIES);
}

function indexIn(entry: number): number {
  return entry % MOST_ENTRIES;
}

function isWorthARange(chunk: FeedChunk, entries: Float64Array): boolean {
  if (entries.length >= WORTH_A_RANGE) return true;
  return entries.some((entry) => chunk.eventsOf(indexIn(entry)) > 1);
}

/** Nothing lies between two entries of a log that are neighbours in the feed. */
function readRange(
  source: FeedSource,
  chunk: FeedChunk,
  entries: Float64Array,
  { room, bytes, trims }: StretchBounds,
): number {
  const first = indexIn(entries[0]!);
  const last = indexIn(entries[entries.length - 1]!);
  const begin = chunk.bytes;
  let at = 0;
  /** The entry at `at`, where its events start, and how many there are so far. */
  let entry = first;
  let start = begin;
  let ofEntry = 0;
  let count = 0;
  let here = begin;
  for (const _ of source.readRange(chunk, first, last, afterTrim(chunk, first, trims))) {
    while (!chunk.reaches(entry, here)) {
      chunk.found(entry, start, ofEntry);
      at += 1;
      entry = indexIn(entries[at]!);
      start = here;
      ofEntry = 0;
    }
    if (count >= room || (count > 0 && here - begin > bytes)) {
      for (const unread of entries.subarray(at)) chunk.cut(indexIn(unread));
      break;
    }
    ofEntry += 1;
    count += 1;
    here = chunk.bytes;
  }
  for (; at < entries.length; at += 1) {
    chunk.found(indexIn(entries[at]!), start, ofEntry);
    ofEntry = 0;
  }
  return count;
}

/** The event after which a log begins, where trimmed ones may still be there. */
function afterTrim(
  chunk: FeedChunk,
  first: number,
  trims: ReadonlyMap<number, EventId>,
): EventId | undefined {
  const through = trims.get(chunk.logNumber(first));
  return through === undefined || isAfter(chunk.firstId(first), through) ? undefined : through;
}
