/** Puts `live` together. */
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import { pause } from '../event/pause.ts';
import { delayAfter } from '../event/retries.ts';
import type { Start } from '../event/start.ts';
import { Closed } from '../event/store-errors.ts';
import { endsWith } from '../log/dependents.ts';
import type { EventLog, Page, ReadOptions } from '../log/log.ts';
import { parseReadOptions } from '../log/options.ts';
import { type MetricsOptions, observer } from '../metrics/observer.ts';
import type { Live } from './live.ts';
import type { LiveContext } from './live-context.ts';
import { LogFollower } from './log-follower.ts';
import { LogReader } from './log-reader.ts';
import { ReadBudget } from './read-budget.ts';
import type { Sink, Subscription } from './sink.ts';
import { weightOf } from './weight.ts';
import { WindowBudget } from './window.ts';

/** Settings of {@link createLive}; all sizes in bytes. */
export interface LiveOptions extends MetricsOptions {
  readonly log: EventLog;
  /** How much a page that is read for a reader should hold. Default 65,536. */
  readonly pageBytes?: number | undefined;
  /** How many events a page may hold. Default 1,000. */
  readonly pageEvents?: number | undefined;
  /** How much all pages that are being read may take together. Default 16,777,216. */
  readonly readBudget?: number | undefined;
  /** How much of one log's recent events is kept for readers that are behind. Default 65,536. */
  readonly windowBytes?: number | undefined;
  /** How much of all logs' recent events is kept. Default 16,777,216. */
  readonly windowBudget?: number | undefined;
  /** Waits this many milliseconds; for tests. */
  readonly delay?: ((milliseconds: number) => Promise<void>) | undefined;
}

/** Nothing is left to chance: the readers of a process wait for one and the same store. */
const STORE_DELAYS = { firstDelay: 50, maxDelay: 1_000, certain: 1 };

/**
 * Catch-up and push for all logs of one store. All readers of a log share one follower. It ends with
 * the log.
 */
export function createLive(options: LiveOptions): Live {
  const delay = options.delay ?? pause;
  const watched = observer(options);
  let subscriptions = 0;
  const context: LiveContext = {
    log: options.log,
    budget: new ReadBudget(options.readBudget ?? 16_777_216),
    windowBudget: new WindowBudget(options.windowBudget ?? 16_777_216),
    windowBytes: options.windowBytes ?? 65_536,
    pageBytes: options.pageBytes ?? 65_536,
    pageEvents: options.pageEvents ?? 1_000,
    observer: watched,
    subscribed(by) {
      subscriptions += by;
      watched.gauge('subscriptions', subscriptions);
    },
    pauseBeforeRetry: (attempt) => delay(delayAfter(attempt, STORE_DELAYS)),
  };
  const followers = new Map<LogName, LogFollower>();
  let isClosed = false;

  function mustBeOpen(): void {
    if (isClosed) throw new Closed('the live delivery');
  }

  function followerOf(log: LogName): LogFollower {
    let follower = followers.get(log);
    if (follower === undefined) {
      const created = new LogFollower(log, context, () => {
        if (followers.get(log) === created) followers.delete(log);
      });
      followers.set(log, created);
      follower = created;
    }
    return follower;
  }

  const live: Live = {
    subscribe(log: LogName, start: Start, sink: Sink): Subscription {
      mustBeOpen();
      const follower = followerOf(log);
      const reader = new LogReader(follower, context, start, sink);
      follower.join(reader);
      return reader;
    },

    async read(log: LogName, options?: ReadOptions): Promise<Page> {
      mustBeOpen();
      const { maxBytes } = parseReadOptions(options);
      return context.budget.run(maxBytes, async (charge) => {
        mustBeOpen();
        const page = await context.log.read(log, options);
        charge(weightOf(page.events));
        return page;
      });
    },

    async before(log: LogName, count: number): Promise<EventId> {
      mustBeOpen();
      return context.log.before(log, count);
    },

    close(): void {
      isClosed = true;
      leave();
      const closed = new Closed('the live delivery');
      for (const follower of [...followers.values()]) follower.fail(closed);
    },
  };
  const leave = endsWith(context.log, 'reading', () => live.close());
  return live;
}
