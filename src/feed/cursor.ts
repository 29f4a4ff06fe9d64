/**
 * What a feed cursor says. It is text that people may look at, but must not take apart:
 *
 *   0                                        the start
 *   41/account:1/1526919030474-55            after entry 41, whose last stretch ends with that event
 *   41/account:1/1526919030474-55/3/1526-2   within entry 42, which ends so: after event 1526-2 of its stretch 3
 *   41                                       after entry 41, which nobody can look at any more
 *
 * A position alone would not do: a store that has lost its tail gives out the same one again. The
 * end of the entry tells the two apart, because times go on.
 */
import { InvalidInput } from '../event/error.ts';
import { type EventId, isEventId } from '../event/event-id.ts';
import { isLogName } from '../event/log-name.ts';
import type { FeedCursor, Stretch } from './feed.ts';

/** How an entry ends: what tells it from any other that ever had its position. */
export type EntryMark = Pick<Stretch, 'log' | 'last'>;

/** Where within an entry that was begun. */
export interface Within {
  /** Which of its stretches, from 0. */
  readonly stretch: number;
  /** After which event of that stretch; `0-0` before its first. */
  readonly after: EventId;
}

/** A cursor taken apart. */
export interface FeedPlace {
  /** How many entries were read to their end. */
  readonly position: number;
  /** Of the last entry that was read or begun. */
  readonly mark: EntryMark | undefined;
  /** In the entry at `position + 1`. */
  readonly within: Within | undefined;
}

export const BEFORE_FIRST: FeedPlace = { position: 0, mark: undefined, within: undefined };

/** The position of the entry that the cursor's mark is about; 0 for none. */
export function markedPosition({ position, within }: FeedPlace): number {
  return within === undefined ? position : position + 1;
}

export function writeFeedCursor({ position, mark, within }: FeedPlace): FeedCursor {
  if (mark === undefined) return String(position);
  const whole = `${position}/${mark.log}/${mark.last}`;
  return within === undefined ? whole : `${whole}/${within.stretch}/${within.after}`;
}

/** @throws InvalidInput (`invalid_feed_cursor`) naming `field` */
export function readFeedCursor(cursor: FeedCursor, field = 'after'): FeedPlace {
  const parts = typeof cursor === 'string' ? cursor.split('/') : [];
  const [position, log, last, stretch, after] = parts;
  if (!isWhole(position) || ![1, 3, 5].includes(parts.length)) throw invalid(field);
  if (log === undefined) return { position: Number(position), mark: undefined, within: undefined };
  if (!isLogName(log) || last === undefined || !isEventId(last)) throw invalid(field);
  const mark = { log, last };
  if (stretch === undefined) return { position: Number(position), mark, within: undefined };
  if (!isWhole(stretch) || after === undefined || !isEventId(after)) throw invalid(field);
  return { position: Number(position), mark, within: { stretch: Number(stretch), after } };
}

/** @throws InvalidInput (`invalid_feed_cursor`) naming `field` */
export function checkFeedCursor(cursor: FeedCursor, field: string): FeedCursor {
  readFeedCursor(cursor, field);
  return cursor;
}

function isWhole(text: string | undefined): boolean {
  return text !== undefined && /^(0|[1-9]\d{0,15})$/.test(text);
}

function invalid(field: string): InvalidInput {
  return new InvalidInput(
    field,
    'must be a cursor that a page of the feed gave out, or FEED_START',
    'invalid_feed_cursor',
  );
}
