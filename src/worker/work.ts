/**
 * Workers: what is to be done about events, by competing consumers of a group. Each event is handled
 * at least once, those of one log in order, also when processes die; different logs are handled at
 * the same time. What keeps failing becomes a dead letter (dead-letters.ts).
 */
import { InvalidInput } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import { predecessorOf } from '../event/event-id.ts';
import { parseRetries, type Retries } from '../event/retries.ts';
import type { WhoseEvents } from '../event/senders.ts';
import type { EventLog } from '../log/log.ts';
import type { WaitOptions } from '../log/or-aborted.ts';
import type { Happening } from '../metrics/notice.ts';
import { type MetricsOptions, type NoticeOptions, observer } from '../metrics/observer.ts';
import { EventReading } from '../typed/event-reading.ts';
import type {
  AnyPayloads,
  EventDefinitions,
  RecordedFrom,
  UnknownRecorded,
} from '../typed/event-types.ts';
import type { JoinOptions, WorkQueues } from '../work-queues/work-queues.ts';
import type { WorkContext } from './context.ts';
import {
  type DeadLetter,
  discardDeadLetter,
  listDeadLetters,
  type Redriving,
  redriveDeadLetter,
} from './dead-letters.ts';
import { Places } from './places.ts';
import { type LoopSettings, WorkLoop } from './work-loop.ts';

const DEFAULT_CONCURRENCY = 10;
const MOST_AT_ONCE = 10_000;
/** In milliseconds, as both of these. */
const DEFAULT_GRACE = 10_000;
const DEFAULT_LOOK_INTERVAL = 1_000;
/** As of projections, half of a wait for certain, so that a failing service gets its rest. */
const DEFAULT_RETRIES = { attempts: 5, firstDelay: 200, maxDelay: 60_000, certain: 0.5 };

/** What a worker needs of a store. */
export interface WorkStore {
  readonly log: Pick<EventLog, 'append' | 'read' | 'followFeed'>;
  readonly workQueues: WorkQueues;
}

export interface WorkOptions<Payloads extends object = AnyPayloads>
  extends JoinOptions,
    WhoseEvents,
    NoticeOptions,
    MetricsOptions {
  /** Whose work it is; each group handles every event. 1 to 128 characters of `A-Z a-z 0-9 . _ -`. */
  readonly group: string;
  /**
   * Left out: events of any type, as they are stored. Otherwise in their current shape; events that
   * are not defined are passed over, or fail like a handler, by their policy; of those that the
   * application did not write, what cannot be read is passed over.
   */
  readonly events?: EventDefinitions<Payloads> | undefined;
  /**
   * Does what is to be done. The event is done when this returns, or the promise resolves. It can
   * be called more than once for an event, so what it does should be idempotent: log and event ID
   * name an event for ever.
   */
  handler(event: RecordedFrom<NoInfer<Payloads>>, context: WorkContext): unknown;
  /** How many logs this worker handles at once. Default 10. */
  readonly concurrency?: number | undefined;
  /** How often an event is tried before it becomes a dead letter. Default: 5 times, 200 ms to 60 s apart. */
  readonly retries?: Retries | undefined;
  /**
   * What becomes of a log when one of its events is a dead letter: `continue` with the next one,
   * or `hold` it until the dead letter was redriven with success, or discarded. Default `continue`.
   */
  readonly onDeadLetter?: 'continue' | 'hold' | undefined;
  /** How long {@link Worker.stop} lets handlers run, in milliseconds. Default 10,000. */
  readonly grace?: number | undefined;
  /** How often to look for work that nobody told of, in milliseconds. Default 1,000. */
  readonly lookInterval?: number | undefined;
}

export interface Worker {
  /**
   * How much the group has to do: logs that wait, rest or are worked on, and what nobody has looked
   * at in the feed. 0 when all that there is has been handled.
   * @throws Unavailable; Closed when the worker was stopped or its store closed
   */
  lag(): Promise<number>;
  /**
   * Resolves when {@link lag} is 0: all is handled, retries included. Goes on working. Waits while
   * the store is away.
   * @throws Closed when the worker is stopped or its store closed; the signal's reason
   */
  drain(options?: WaitOptions): Promise<void>;
  /**
   * Takes no more logs, and lets handlers come to the end of their event; after the grace it aborts
   * their signals. Then others can have the logs at once. Whatever a handler did that ignores its
   * signal is not written down, and is done again by another. A worker whose store is closed ends
   * by itself in the same way. Called again, it waits for the same end.
   */
  stop(): Promise<void>;
  /**
   * How many events this worker has passed over for who wrote them: not one of `writers`, or not the
   * application, and unreadable.
   */
  passedOver(): number;
  /** The dead letters of the group that were neither redriven with success nor discarded. */
  deadLetters(): Promise<readonly DeadLetter[]>;
  /**
   * Has a dead letter's event handled once more, before others of its log. Where that event is gone,
   * it answers with `skipped`, and the dead letter is closed.
   * @param letter the dead letter's ID
   * @throws NoDeadLetter
   */
  redrive(letter: string): Promise<Redriving>;
  /** Gives a dead letter up. @throws NoDeadLetter */
  discard(letter: string): Promise<DeadLetter>;
}

/**
 * Starts a worker; more of the same group may run in this process and in others.
 *
 *     const worker = await work(store, {
 *       group: 'mail',
 *       events: bank,
 *       handler: async (event) => { if (event.type === 'Deposited') await send(event); },
 *     });
 *
 * It works until it is stopped or its store closed.
 * @throws InvalidInput, also when the group was made for another category; Unavailable, Closed
 */
export async function work<Payloads extends object = AnyPayloads>(
  store: WorkStore,
  options: WorkOptions<Payloads>,
): Promise<Worker> {
  const { group, category, from, leaseTime } = options;
  const { settings, reading } = parseOptions(options);
  const consumer = await store.workQueues.join(group, { category, from, leaseTime });
  const loop = new WorkLoop(store.log, consumer, settings);
  loop.start();
  return {
    lag: () => loop.lag(),
    passedOver: () => reading.passedOver,
    drain: ({ signal } = {}) => loop.drain(signal),
    stop: () => loop.stop(),
    deadLetters: () => listDeadLetters(store.log, group),
    redrive: async (letter) => {
      const asked = await redriveDeadLetter(store, group, letter);
      const { log, id, skipped: reason } = asked;
      if (reason !== undefined) {
        const after = predecessorOf(id);
        settings.notice({ what: 'skipped', log, after, reason, letter: asked.letter });
      }
      return asked;
    },
    discard: (letter) => discardDeadLetter(store, group, letter),
  };
}

function parseOptions<Payloads extends object>(options: WorkOptions<Payloads>) {
  const { group, events, writers, onDeadLetter = 'continue' } = options;
  const { concurrency = DEFAULT_CONCURRENCY } = options;
  const { leaseTime = 10_000, grace = DEFAULT_GRACE } = options;
  const watched = observer(options);
  const by = `the worker ${group}`;
  const { lookInterval = DEFAULT_LOOK_INTERVAL } = options;
  if (typeof options.handler !== 'function') {
    throw new InvalidInput('handler', 'must be a function');
  }
  if (!Number.isSafeInteger(concurrency) || concurrency < 1 || concurrency > MOST_AT_ONCE) {
    throw new InvalidInput('concurrency', `must be a whole number from 1 to ${MOST_AT_ONCE}`);
  }
  if (onDeadLetter !== 'continue' && onDeadLetter !== 'hold') {
    throw new InvalidInput('onDeadLetter', "must be 'continue' or 'hold'");
  }
  mustBeTime(grace, 'grace', 0);
  mustBeTime(lookInterval, 'lookInterval', 1);
  const reading = new EventReading<RecordedFrom<Payloads> | UnknownRecorded>({
    ...{ events, writers, by, notice: watched.notice },
  });
  const handle = (stored: StoredEvent, context: WorkContext): unknown => {
    const event = reading.read(context.log, stored);
    if (event === undefined || event.unknown === true) return undefined;
    return options.handler(event as RecordedFrom<Payloads>, context);
  };
  const retries = parseRetries(options.retries, DEFAULT_RETRIES);
  const settings: LoopSettings = {
    ...{ group, handle, concurrency, retries, leaseTime, grace, lookInterval },
    observer: watched,
    notice: (happening: Happening) => watched.notice({ ...happening, by }),
    holds: onDeadLetter === 'hold',
    oneByOne: new Places(1),
  };
  return { settings, reading };
}

function mustBeTime(value: number, field: string, least: number): void {
  if (Number.isFinite(value) && value >= least && value <= 3_600_000) return;
  throw new InvalidInput(field, `must be ${least} to 3,600,000 milliseconds`);
}
