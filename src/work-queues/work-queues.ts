/**
 * The contract for competing consumers: which logs have events that a group has not handled, and
 * who of the group works on which. What handling means, retries and dead letters are `worker/`'s.
 *
 *             the feed tells of it            take               settle
 *   (idle) ───────────────────────► queued ─────────► leased ─────┬──► done    (idle, or queued if more was told of)
 *                                      ▲                 │        ├──► again   queued, behind the others
 *                                      │                 │        ├──► after   delayed, then queued
 *                                      └─── not renewed ─┘        └──► hold    held, until a redrive or discard
 *
 * Guarantees
 *   - A log is leased to one consumer of a group at a time, so that its events can be handled in
 *     order. Different logs go to different consumers.
 *   - Whoever lost a lease cannot write anything down any more: cursors are fenced by it.
 *   - A cursor never passes an event that was not settled, and a log whose events the feed tells of
 *     is leased to somebody sooner or later, whatever process dies. So delivery is at least once.
 *   - What is only told, and never written down by {@link WorkConsumer.settle}, is handed out again.
 *
 * The events themselves are read from the log. Stores implement it (`redis/`, `embedded/`,
 * `memory/`) and pass one suite, `src/testing/contract/work-queues/`.
 */
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';

/** What a new group starts with, and how its consumers prove that they live. */
export interface JoinOptions {
  /**
   * Only logs of this category. A group keeps what it was made with. Left out: all logs but those
   * of dead letters, which would otherwise go round in a circle.
   */
  readonly category?: string | undefined;
  /** Where a new group starts: with all events there are, or with those to come. Default `start`. */
  readonly from?: 'start' | 'now' | undefined;
  /**
   * How many milliseconds after its last sign of life a consumer loses its logs. Default 10,000. It
   * shows one each quarter of that time, and others look as often: what a killed process was doing
   * is begun anew after three to five quarters.
   */
  readonly leaseTime?: number | undefined;
}

/** How often an event was tried. */
export interface Attempt {
  readonly event: EventId;
  readonly count: number;
}

/** A dead letter that somebody wants to be handled once more. */
export interface Letter {
  readonly log: LogName;
  /** The event that could not be handled. */
  readonly event: EventId;
  /** The event in the dead-letter log that tells of it. */
  readonly letter: EventId;
}

export interface Redrive extends Omit<Letter, 'log'> {
  /** How often it was begun already. */
  readonly attempts: number;
}

/** A log that this consumer may work on. */
export interface LeasedLog {
  readonly log: LogName;
  /** Tells this lease from every other; opaque. */
  readonly lease: string;
  /** The last event that is done; `0-0` for none. */
  readonly cursor: EventId;
  /** The cursor is a place in time and no event: do not ask whether it is there. */
  readonly unchecked: boolean;
  /** Up to where the feed had told of the log. */
  readonly told: EventId;
  /** Of the event after the cursor, if it was tried before. */
  readonly attempt: Attempt | undefined;
  /** To be handled before anything else. */
  readonly redrives: readonly Redrive[];
  /**
   * How often in a row it was taken over from a consumer that never gave it up: more than once,
   * and it may be this log's next event that processes die of.
   */
  readonly takeovers: number;
}

/**
 * What becomes of a lease. `after`: the log rests for so many milliseconds. `hold` comes with the
 * attempt of the event that the log is held for.
 */
export type Next = 'keep' | 'done' | 'again' | 'hold' | { readonly after: number };

/** One piece of progress; what is left out stays as it is. */
export interface Settlement {
  readonly leased: LeasedLog;
  /** All events up to this one are done. Forgets the attempt, unless one is given with it. */
  readonly cursor?: EventId | undefined;
  readonly attempt?: Attempt | undefined;
  /** How often the redrive of this letter was begun; `null`: it is over. */
  readonly redrive?: { readonly letter: EventId; readonly attempts: number | null } | undefined;
  readonly next: Next;
}

/** One member of a group. */
export interface WorkConsumer {
  /**
   * Looks at what is new in the feed, and at which delays are over, for the whole group; cheap
   * when there is nothing. Who takes work calls it when the feed may have grown, and every second.
   * @returns whether there is more to look at: call it again
   * @throws ProgressLost, Unavailable, Closed
   */
  look(): Promise<boolean>;

  /**
   * Leases up to `limit` logs. When there are none it waits for one, at most `wait` milliseconds
   * (and never more than a second), or until `signal` is aborted.
   * @throws ProgressLost, Unavailable, Closed
   */
  take(limit: number, wait: number, signal?: AbortSignal): Promise<readonly LeasedLog[]>;

  /**
   * Writes down progress, each piece whole or not at all, and renews the leases that are kept. May
   * be repeated after an error.
   * @returns for each whether the lease was this consumer's; if not, nothing was changed
   * @throws Unavailable, OutcomeUnknown, Closed
   */
  settle(settlements: readonly Settlement[]): Promise<readonly boolean[]>;

  /**
   * How much the group has to do: logs that wait, rest or are being worked on, and entries of the
   * feed that nobody has looked at. 0 when it is up to date (logs on hold do not count).
   * @throws ProgressLost, Unavailable, Closed
   */
  lag(): Promise<number>;

  /**
   * Leaves the group. Others can have its logs at once, except `still`, which are being worked on:
   * those only when their lease runs out.
   * @throws Unavailable; then its leases run out by themselves
   */
  leave(still?: readonly LeasedLog[]): Promise<void>;
}

export interface WorkQueues {
  /**
   * Joins a group, which is made if need be.
   * @param group 1 to 128 characters of `A-Z a-z 0-9 . _ -`
   * @throws InvalidInput, also when the group was made for another category; ProgressLost,
   *   Unavailable, Closed
   */
  join(group: string, options?: JoinOptions): Promise<WorkConsumer>;

  /**
   * Asks the group to handle a dead letter's event before others of its log; also ends a hold.
   * Asking twice is as good as once.
   * @throws InvalidInput, Unavailable, OutcomeUnknown, Closed
   */
  redrive(group: string, letter: Letter): Promise<void>;

  /**
   * Takes a redrive back. Where the log is on hold for this event, the group goes on behind it.
   * @throws as redrive
   */
  discard(group: string, letter: Letter): Promise<void>;

  /** Takes no more work, and frees everything. Who has joined should have left. */
  close(): Promise<void>;
}
