/**
 * Reactions: for every event something is done elsewhere: a search index, a mail, another system.
 * At least once, in the order of the feed, one at a time.
 */
import { InvalidInput, type MillraceError } from '../event/error.ts';
import type { WhoseEvents } from '../event/senders.ts';
import { Closed } from '../event/store-errors.ts';
import { FEED_START, type Feed, type FeedCursor } from '../feed/feed.ts';
import { feedOf } from '../feed/feed-of.ts';
import { endsWith } from '../log/dependents.ts';
import type { EventLog } from '../log/log.ts';
import { orAborted, type WaitOptions } from '../log/or-aborted.ts';
import { observer } from '../metrics/observer.ts';
import type { Records } from '../records/records.ts';
import { EventReading } from '../typed/event-reading.ts';
import type { AnyPayloads, EventDefinitions, RecordedFrom } from '../typed/event-types.ts';
import { checkChoice, checkName } from './definition.ts';
import { FeedRun, type RunState } from './feed-run.ts';
import { ordinaryOnly } from './ordinary-only.ts';
import { passOver } from './pass-over.ts';
import { FROM_START, ReactionTarget } from './reaction-target.ts';
import { checkRunOptions, type RunDefaults, type RunOptions } from './run-options.ts';

/** What is done for each event. */
export interface ReactionDefinition<Payloads extends object = AnyPayloads>
  extends RunOptions,
    WhoseEvents {
  /** 1 to 64 characters of `A-Z a-z 0-9 . _ -`; only one reaction of a store may have it. */
  readonly name: string;
  /** The events there are. Left out: events of any type, with payloads as they are stored. */
  readonly events?: EventDefinitions<Payloads> | undefined;
  /** Only events of these logs: `account` for `account:1`. Left out: of all but dead letters. */
  readonly category?: string | undefined;
  /**
   * Where to begin when it is run for the first time: with the first event of the feed, or with
   * what comes from now on. Default `start`.
   */
  readonly from?: 'start' | 'now' | undefined;
  /**
   * Does it; the next event comes when the promise resolves. After a crash the last events, up to
   * a page of them, come again: log and ID of an event make that recognisable (`${log}/${id}`, as
   * an idempotency key or the ID of a document). `signal` is aborted when it is to be stopped; what
   * throws from then on, or has not ended within the grace, comes again as well.
   */
  readonly each: (
    event: NoInfer<RecordedFrom<Payloads>>,
    signal: AbortSignal,
  ) => Promise<void> | void;
  /** How long {@link Reaction.stop} waits for the event at hand, in milliseconds. Default 10,000. */
  readonly grace?: number | undefined;
  /**
   * What becomes of an event that cannot be handled, also when that was tried again: `stop` ends
   * the reaction before it, as failed; `skip` leaves it out, and tells. Left out: an event that a
   * client wrote is passed over, one of the application stops it. Say `stop` where nothing may be
   * left undone, as when what `each` tells can be away for longer than the retries take.
   */
  readonly onError?: 'stop' | 'skip' | undefined;
  /** What it means that events were trimmed away unseen; as of a projection. Default `stop`. */
  readonly trimmed?: 'stop' | 'accept' | undefined;
}

/** How a reaction is doing; as a projection is. */
export interface ReactionStatus {
  readonly state: Exclude<RunState, 'superseded'>;
  readonly position: number;
  readonly end: number;
  readonly lag: number;
  readonly skipped: number;
  readonly passedOver: number;
  readonly trouble: string | undefined;
  readonly error: MillraceError | undefined;
}

/** A reaction that runs, or waits for its turn. */
export interface Reaction {
  readonly name: string;
  /**
   * Resolves when everything that was in the feed when it was called has been done. Waits while
   * the store is away.
   * @throws ProjectionFailed, FeedReset, FeedTrimmed; Closed when this one was stopped or its store
   *   closed; Unavailable; the signal's reason
   */
  caughtUp(options?: WaitOptions): Promise<void>;
  /** How many entries of the feed are still to be done; infinite until that is known. */
  lag(): number;
  status(): ReactionStatus;
  /** Resolves when it has come to its end by itself, by {@link stop}, or with its store. Never rejects. */
  ended(): Promise<void>;
  /**
   * Ends it after the event at hand, or when the grace is over without it: then the event is not
   * done, and comes again, wherever the reaction runs next.
   */
  stop(): Promise<void>;
}

const DEFAULTS: RunDefaults = {
  pageSize: 100,
  retries: { attempts: 8, firstDelay: 200, maxDelay: 30_000, certain: 0.5 },
};
/** In milliseconds, as both of these; as of workers. */
const DEFAULT_GRACE = 10_000;
const LONGEST_GRACE = 3_600_000;

/**
 * Does something for each event, elsewhere. Of several instances with the same name one works at a
 * time; another takes over when it dies, and does what that one may have done without keeping it
 * in mind.
 *
 *     react(store, {
 *       name: 'search',
 *       events: bank,
 *       each: async (event) => index.put(`${event.log}/${event.id}`, event.payload),
 *     });
 *
 * It runs until it is stopped or its store closed.
 * @throws InvalidInput naming the field that breaks a rule
 */
export function react<Payloads extends object = AnyPayloads>(
  store: {
    readonly log: Pick<EventLog, 'feed' | 'followFeed' | 'feedEnd'>;
    /** Left out: what the log says of it. */
    readonly feed?: Feed | undefined;
    readonly records: Pick<Records, 'get' | 'compareAndSet' | 'batch' | 'lease'>;
  },
  definition: ReactionDefinition<Payloads>,
): Reaction {
  const { events, writers, category, each, from = 'start' } = definition;
  const { onError, trimmed = 'stop', grace = DEFAULT_GRACE } = definition;
  const watched = observer(definition);
  const name = checkName(definition.name);
  const label = `the reaction ${name}`;
  if (typeof each !== 'function') throw new InvalidInput('each', 'must be a function of an event');
  if (!(grace >= 0 && grace <= LONGEST_GRACE)) {
    throw new InvalidInput('grace', 'must be 0 to 3,600,000 milliseconds');
  }
  checkChoice('from', from, ['start', 'now']);
  checkChoice('onError', onError, ['stop', 'skip']);
  checkChoice('trimmed', trimmed, ['stop', 'accept']);
  const { leaseTime, pageSize, retries } = checkRunOptions(definition, DEFAULTS);
  const { log, records } = store;
  const feed = feedOf(store);
  const lease = `reaction:${name}`;
  const late = new AbortController();
  const reading = new EventReading<RecordedFrom<Payloads>>({
    ...{ events, writers, by: label, notice: watched.notice },
  });
  const target = new ReactionTarget({
    records,
    name,
    lease,
    start: from === 'start' ? FROM_START : (last) => fromNow(feed, last),
    decode: ordinaryOnly(category, (log, stored) => reading.read(log, stored)),
    each,
    late: late.signal,
  });
  const run = new FeedRun(feed, records, target, {
    name,
    label,
    lease: () => lease,
    leaseTime,
    pageSize,
    category,
    retries,
    onError: onError ?? 'stop',
    // After the retries: it may be the world outside that fails.
    passOver:
      onError === undefined
        ? (place, cause, isLast) => isLast && passOver(reading, place, cause)
        : undefined,
    trimmed,
    observer: watched,
  });
  const stop = async (mostGrace = grace, why?: Closed) => {
    const timer = setTimeout(() => late.abort(), Math.min(mostGrace, grace));
    await run.stop(why);
    clearTimeout(timer);
  };
  const close = (graceMs: number) => stop(graceMs, new Closed(`the store of the reaction ${name}`));
  void run.ended.then(endsWith(log, 'work', close));
  return {
    name,
    async caughtUp({ signal } = {}) {
      await orAborted(async () => run.reached(await run.endOfFeed(), signal), signal);
    },
    lag: () => run.lag,
    status() {
      const { state, position, end, lag, skipped, trouble, error } = run;
      return {
        state: state as ReactionStatus['state'],
        ...{ position, end, lag, skipped, passedOver: reading.passedOver, trouble, error },
      };
    },
    ended: () => run.ended,
    stop: () => stop(),
  };
}

/** Where the feed was lost together with the checkpoint, all that there is came after it. */
async function fromNow(
  feed: Pick<Feed, 'standing' | 'end'>,
  last: FeedCursor | undefined,
): Promise<FeedCursor> {
  if (last !== undefined && (await feed.standing(last)) === 'reset') return FEED_START;
  return feed.end();
}
