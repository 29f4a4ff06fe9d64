/**
 * The inner contract of a store: what it keeps of its logs, below pages. What a page is (where it
 * starts, what its reader is told) is decided once, by {@link readPage}, for whoever keeps to this;
 * so whatever keeps events of a log in another place gives the same three calls, and nothing else.
 *
 *   EventLog.read ──► readPage ──► look     EventLog.before ──► before     EventLog.trim ──► trim
 *
 * Deliberately not in here: what readers' options mean and may be (`options.ts`), who stands where
 * (`event/standing.ts`), appending and following, which no archive ever does.
 */
import type { StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { LogFacts } from '../event/standing.ts';

/** A stretch of a log, of which a look takes as much as fits. */
export interface LogRange {
  /** Only events with a greater ID. */
  readonly after: EventId;
  /** Only events with a smaller ID. */
  readonly before?: EventId | undefined;
  /** Newest first. */
  readonly reverse: boolean;
}

export interface Look {
  /**
   * Whose place in the log the facts are about. Most times it is where the range begins too, but
   * not when that has been found to be the wrong place. Undefined: nobody's, and no facts are wanted.
   */
  readonly cursor: EventId | undefined;
  readonly range: LogRange;
  /** How many events at most; 0 for none. */
  readonly limit: number;
  /** How many bytes of events at most; the first one is taken whatever its size. */
  readonly maxBytes: number;
}

/** What a log was like at one moment. */
export interface Sight {
  readonly version: EventId;
  /**
   * Stays as it is for as long as nothing that is kept has been taken away, by whomever, and no
   * other log put in its place; appends leave it. Made to be compared, not to be taken apart. It
   * does not tell that the tail was lost: that shows in the events which are not there.
   */
  readonly stamp: string;
  /**
   * What decides about the cursor, where one was given. Where its event is kept, `first` may be
   * that event: to look for the first one would be in vain.
   */
  readonly facts: LogFacts | undefined;
  /** In the order of the range, nothing left out between two. Bytes in them are the reader's own. */
  readonly events: readonly StoredEvent[];
  /** Whether the range has further events. */
  readonly more: boolean;
}

export interface KeptLogs {
  /**
   * Looks at a log: facts, version and events are of one moment. Apart, an append between them
   * would make a hole look whole, and a trim between them a whole log look reset.
   *
   * It is one call because it is made for every page: where a store is at the other end of a
   * connection it is one round trip.
   *
   * What has been forgotten is not seen, although it may take a store a while to remove it: there
   * is no event at or below `facts.trimmed`, and no cursor below that is held. Otherwise a reader
   * in the middle of a trim would resume over what is going away, and be told nothing.
   *
   * A log that never had an event is an empty one.
   * @throws WrongType, Unavailable, Closed
   */
  look(log: LogName, look: Look): Promise<Sight>;

  /**
   * The last event that comes before the last `count` that are kept; `0-0` where there is none.
   * What has been forgotten is not counted. Of one moment it is only where nothing is trimmed
   * meanwhile: then it may be an earlier place, which does no harm, as nothing is kept in between.
   * @throws WrongType, Unavailable, Closed
   */
  before(log: LogName, count: number): Promise<EventId>;

  /**
   * Forgets the events up to and including `through`, as `EventLog.trim` says. The mark comes
   * first and in one step: from then on all is forgotten at once, for every reader, and stays so
   * whatever crashes while it is removed.
   *
   * Without a guard it always is `trimmed`: somebody wants the events forgotten. With one, because
   * they have been put elsewhere, it is looked whether that still holds, in one step with the mark:
   *
   *   older fence than the log has seen ───────────► fenced     nothing is forgotten
   *   a guarded trim has gone as far ──────────────► trimmed    again, which is harmless
   *   the stamp is another one, or `through` is no
   *   event that is kept ──────────────────────────► changed    nothing is forgotten
   *   otherwise ───────────────────────────────────► trimmed
   *
   * A fence is remembered whatever becomes of its trim, except for a log that is not there; no trim
   * without a guard asks for it, as users' own go before all.
   *
   * A trim that has begun may still end as `fenced` or `changed`, when somebody was faster between
   * its mark and its last step. What it has forgotten stays so.
   * @throws WrongType, Unavailable, Closed. It may have begun: repeat it as it is
   */
  trim(log: LogName, through: EventId, guard?: TrimGuard): Promise<TrimOutcome>;
}

/**
 * Under what a trim may happen that takes away only what somebody has read before, and put
 * elsewhere. Without the condition, what was deleted meanwhile would come back from there. Without
 * the fence, who was paused, and whose place another has taken, would trim for the sake of a copy
 * that may have been thrown away.
 */
export interface TrimGuard {
  /**
   * The stamp that the log must still have: that of the first look of those by which the events
   * were read. With that of the last one, what was deleted in between would go unnoticed.
   */
  readonly condition: string;
  /** Of those who trim a log, the one with the greatest is right: the token of a lease, say. */
  readonly fence: number;
}

export type TrimOutcome = 'trimmed' | 'changed' | 'fenced';
