/**
 * The index of the feed by itself: which logs have grown and how far, without their events. Workers
 * read it, and queue what it tells of with a compare on the place that they read from.
 */
import type { FeedCursor, FeedStanding, Stretch } from './feed.ts';

export interface FeedIndex {
  /**
   * Reads on from a place in the feed. What is no place at all stands as `reset`.
   * @param entries how many entries at most, from 1
   * @param category only its logs are told of; '' for all
   * @throws Unavailable, WrongType, Closed
   */
  read(after: FeedCursor, entries: number, category: string): Promise<IndexPage>;

  /** The place after everything that the feed has now. @throws as read */
  end(): Promise<FeedCursor>;
}

export interface IndexPage {
  /** In feed order. None when all that was read is of other categories, or something is missing. */
  readonly stretches: readonly Stretch[];
  /** Go on from here. */
  readonly next: FeedCursor;
  /** Whether the feed held something after `next`. */
  readonly more: boolean;
  /** How many entries the feed held after the place that was asked for; at least 1 where something is missing. */
  readonly behind: number;
  /**
   * Of the place that was asked for. `whole` only where it was seen to be what it was, so that no
   * entry after it is missing. Otherwise `next` is the end of the feed: what was to be read until
   * there, the logs themselves must tell.
   */
  readonly standing: FeedStanding;
}
