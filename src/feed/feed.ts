/**
 * The feed: the ordered index over all logs of a store, which projections and workers follow.
 *
 *   entry 1          entry 2                           entry 3
 *   ├ a:1  5-0…5-2   ├ a:2  7-0…7-0   a:1  7-0…7-0     ├ a:2  8-0…9-1   …
 *
 * Each entry tells of one or more stretches of logs, and is written in the same atomic step as their
 * events. So the feed holds every event once, in an order that never shows a later event of a log
 * before an earlier one.
 *
 * Stores give it as an object of its own, {@link Feed}. What it does not say, and nobody may assume:
 * an order between different logs (today it is that of the commits), that an acknowledged append is
 * in it already, what a cursor consists of, that entries are counted in one row.
 * Where a reader stands: cursor.ts. What it is told of its cursor: standing.ts.
 */
import type { StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';

/**
 * Where a reader of the feed stands. Opaque: keep it as it is, up to 320 ASCII characters. It also
 * holds what is needed to recognise that the store has lost what was read.
 */
export type FeedCursor = string;

/** Before the first entry. */
export const FEED_START: FeedCursor = '0';

export interface FeedOptions {
  /** Go on after this cursor. Default {@link FEED_START}. */
  readonly after?: FeedCursor | undefined;
  /** How many events at most, 1 to 100,000. Default 1,000. */
  readonly limit?: number | undefined;
  /**
   * How many bytes of events at most; a page holds at least one event if one was found.
   * Default 1,048,576.
   */
  readonly maxBytes?: number | undefined;
  /** Only logs of this category: `account` for `account:1`. The others' events are not even read. */
  readonly category?: string | undefined;
}

/** A stretch of one log, or what of it fits on the page. */
export interface FeedItem {
  readonly log: LogName;
  /** In ID order, next to each other. None when all of the stretch is gone. */
  readonly events: readonly StoredEvent[];
  /**
   * False: trimming or deletion took events of this stretch before they were read. Redis counts no
   * deletions: where some lie in a stretch of several milliseconds or later in its log, this may
   * be false although nothing is missing; never true where something is.
   */
  readonly whole: boolean;
}

/**
 * A page can be gone through itself, `for (const { log, events } of page)`: then its events are made
 * one by one and nobody keeps them, which is the cheapest way through a large page.
 */
export interface FeedPage extends Iterable<FeedItem> {
  /**
   * In feed order; of one log always in ID order, each event once. Can be empty although there is
   * more, when only other categories were found so far: go on from `cursor` while `more`.
   */
  readonly items: readonly FeedItem[];
  /** The log of the first item that is not {@link FeedItem.whole}; undefined when all are. */
  readonly torn: LogName | undefined;
  /** Go on from here. */
  readonly cursor: FeedCursor;
  /** The cursor after everything that the feed had when this page was read. */
  readonly last: FeedCursor;
  /**
   * To be shown: how many entries of the feed lie at or before `cursor`, whole ones. Whoever decides
   * by how far it is asks {@link Feed.reached} and {@link Feed.lag}.
   */
  readonly position: number;
  /** To be shown: how many entries lie at or before `last`. */
  readonly end: number;
  /** Whether the feed held something after `cursor` when this page was read. */
  readonly more: boolean;
  /**
   * Of the cursor that was asked for. `trimmed`: entries after it were removed; the page goes on
   * with the first kept one. `reset`: the store has lost its tail, and what was read at the cursor
   * is not there any more, whatever has taken its place; the page starts with the first kept entry.
   */
  readonly standing: FeedStanding;
}

export type FeedStanding = 'whole' | 'trimmed' | 'reset';

/** A stretch as an entry of the feed tells of it: all events of `log` from `first` to `last`. */
export interface Stretch {
  readonly log: LogName;
  readonly first: EventId;
  readonly last: EventId;
}

/**
 * The contract. Only `feed/` and the feeds of the stores know what is in a cursor; everybody else
 * keeps it as it is, and asks. Closing is the store's business.
 */
export interface Feed {
  /**
   * Reads a page. A page is no moment: while it is read, events may be appended, and trimmed, which
   * it tells. What an entry tells of never changes.
   * @throws InvalidInput, WrongType, Unavailable, Closed
   */
  page(options?: FeedOptions): Promise<FeedPage>;

  /**
   * Calls `wake` when the feed may have grown, from the moment that the promise resolves. Wake-ups
   * come in no promised number: one can be missed, doubled or late, and after any loss of the store
   * connection there is one. `wake` must not throw and must not block.
   * @param signal ends the wait for a store that is away; once it has resolved, it means nothing
   * @returns what ends it; calling that twice does no harm
   * @throws Unavailable, Closed
   */
  follow(wake: () => void, signal?: AbortSignal): Promise<() => void>;

  /**
   * The cursor after everything that the feed has now. Reads no event.
   * @throws WrongType, Unavailable, Closed
   */
  end(): Promise<FeedCursor>;

  /**
   * How a reader at `cursor` stands now, as its next page would tell. Reads no event.
   * @throws InvalidInput, WrongType, Unavailable, Closed
   */
  standing(cursor: FeedCursor): Promise<FeedStanding>;

  /**
   * How many entries are to be read to their end from `cursor` to `end`, 0 when it is past that. An
   * exact sum: of three cursors one after the other, the two lags make up the whole one. Both must
   * be cursors of this feed; whether it has lost one since is what {@link standing} says.
   * @throws InvalidInput
   */
  lag(cursor: FeedCursor, end: FeedCursor): number;

  /**
   * Whether who stands at `cursor` has read everything up to `end`; by the rules of {@link lag}.
   * @throws InvalidInput
   */
  reached(cursor: FeedCursor, end: FeedCursor): boolean;
}
