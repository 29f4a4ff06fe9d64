/** What the feeds of all stores share: the rules, and all that a cursor tells by itself. */
import { isAfter } from '../event/event-id.ts';
import {
  BEFORE_FIRST,
  type FeedPlace,
  markedPosition,
  readFeedCursor,
  type Within,
} from './cursor.ts';
import type { Feed, FeedCursor, FeedOptions, FeedPage, FeedStanding } from './feed.ts';
import { type FeedRequest, parseFeedOptions } from './options.ts';
import { endCursor, type FeedFacts, placeInFeed } from './standing.ts';

export abstract class StoredFeed implements Feed {
  protected abstract read(request: FeedRequest): Promise<FeedPage>;

  /** What is known of the feed now, for who stands at `place`. */
  protected abstract facts(place: FeedPlace): Promise<FeedFacts>;

  abstract follow(wake: () => void, signal?: AbortSignal): Promise<() => void>;

  async page(options?: FeedOptions): Promise<FeedPage> {
    return this.read(parseFeedOptions(options));
  }

  async end(): Promise<FeedCursor> {
    return endCursor(await this.facts(BEFORE_FIRST));
  }

  async standing(cursor: FeedCursor): Promise<FeedStanding> {
    const place = readFeedCursor(cursor, 'cursor');
    return placeInFeed(place, await this.facts(place)).standing;
  }

  lag(cursor: FeedCursor, end: FeedCursor): number {
    return lagBetween(cursor, end);
  }

  reached(cursor: FeedCursor, end: FeedCursor): boolean {
    return hasReached(cursor, end);
  }
}

/** As {@link Feed.lag} says. */
export function lagBetween(cursor: FeedCursor, end: FeedCursor): number {
  const from = readFeedCursor(cursor, 'cursor');
  const to = readFeedCursor(end, 'end');
  return Math.max(0, to.position - from.position);
}

/** As {@link Feed.reached} says. */
export function hasReached(cursor: FeedCursor, end: FeedCursor): boolean {
  const at = readFeedCursor(cursor, 'cursor');
  const to = readFeedCursor(end, 'end');
  if (at.position >= markedPosition(to)) return true;
  if (at.position < to.position || at.within === undefined) return false;
  return !isBefore(at.within, to.within!);
}

/** Of two places within the same entry. */
function isBefore(a: Within, b: Within): boolean {
  return a.stretch < b.stretch || (a.stretch === b.stretch && isAfter(b.after, a.after));
}
