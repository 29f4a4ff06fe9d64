/**
 * The feed: the ordered index over all logs of a store, which projections and workers follow.
 *
 *   entry 1          entry 2                           entry 3
 *   ├ a:1  5-0…5-2   ├ a:2  7-0…7-0   a:1  7-0…7-0     ├ a:2  8-0…9-1   …
 *
 * Each entry tells of one or more stretches of logs, and is written in the same atomic step as their
 * events. So the feed holds every event once, in an order that never shows a later event of a log
 * before an earlier one; between different logs the order is that of the commits.
 * Where a reader stands: feed-cursor.ts. What it is told of its cursor: feed-standing.ts.
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
  /** How many entries of the feed lie at or before `cursor`, whole ones. */
  readonly position: number;
  /** How many entries the feed has given out; `end - position` is how far a reader lags behind. */
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
