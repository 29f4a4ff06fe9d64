/**
 * Pages of events for the world outside, one event after the other. What was done there cannot be
 * committed together with a checkpoint, so after a crash the last ones are done again.
 */
import type { StoredEvent } from '../event/event.ts';
import type { LogName } from '../event/log-name.ts';
import { ProgressLost } from '../event/store-errors.ts';
import { checkFeedCursor } from '../feed/cursor.ts';
import { FEED_START, type FeedCursor, type FeedItem } from '../feed/feed.ts';
import { orAborted } from '../log/or-aborted.ts';
import type { CommitOutcome } from '../read-models/read-models.ts';
import type { Put, Records } from '../records/records.ts';
import { EventFailed, Interrupted, placeOf } from './errors.ts';
import type { FeedTarget } from './feed-target.ts';

export interface ReactionsOptions<Event> {
  readonly records: Pick<Records, 'get' | 'compareAndSet' | 'batch'>;
  /** The key of the record with the checkpoint. Beside it, {@link begunKey} says that there was one. */
  readonly key: string;
  /** The name of the lease, whose tokens fence. */
  readonly lease: string;
  /** Where to begin when there is no checkpoint: no more, where there was one at `last`. */
  readonly start: (last: FeedCursor | undefined) => Promise<FeedCursor>;
  readonly decode: (log: LogName, stored: StoredEvent) => Event | undefined;
  readonly each: (event: Event, signal: AbortSignal) => unknown;
  /** Aborted when nobody waits any longer for an `each` that is under way. */
  readonly late: AbortSignal;
}

export class ReactionTarget<Event> implements FeedTarget {
  readonly #options: ReactionsOptions<Event>;
  /** Events that were done since the last commit. */
  #done = new Set<string>();
  #underWay = new Set<string>();
  /** The last checkpoint that this instance has seen. */
  #last: FeedCursor | undefined;

  constructor(options: ReactionsOptions<Event>) {
    this.#options = options;
  }

  peek(): Promise<FeedCursor | null> {
    return this.#options.records.get(this.#options.key);
  }

  async begin(token: number): Promise<{ readonly cursor: FeedCursor } | 'fenced'> {
    for (;;) {
      const expected = await this.peek();
      const { key, records, start } = this.#options;
      const begun = begunKey(key);
      if (expected === null && (await records.get(begun)) !== null) {
        // Unless it has come back, or all went meanwhile.
        if ((await this.peek()) !== null || (await records.get(begun)) === null) continue;
        throw new ProgressLost(`the ${key.replace(':', ' ')}`, key, `${begun}, too`);
      }
      if (expected !== null) checkFeedCursor(expected, key);
      const cursor = expected ?? (await start(this.#last));
      const outcome = await this.#write(expected, cursor, token, [{ key: begun, value: '1' }]);
      if (outcome === 'fenced') return 'fenced';
      if (outcome === 'committed') return { cursor };
    }
  }

  async apply(items: Iterable<FeedItem>, signal: AbortSignal): Promise<boolean> {
    const { decode, each, late } = this.#options;
    let index = 0;
    for (const { log, events } of items) {
      for (const stored of events) {
        const name = `${log}/${stored.id}`;
        if (!this.#done.has(name) && !this.#underWay.has(name)) {
          if (signal.aborted) throw new Interrupted(index);
          try {
            const event = decode(log, stored);
            const doing = event === undefined ? undefined : each(event, signal);
            if (doing !== undefined) await orAborted(async () => doing, late);
          } catch (cause) {
            if (signal.aborted) throw new Interrupted(index);
            throw new EventFailed(index, placeOf(log, stored), cause);
          }
          this.#done.add(name);
        }
        index += 1;
      }
    }
    return index > 0;
  }

  async commit(expected: FeedCursor, next: FeedCursor, token: number): Promise<CommitOutcome> {
    this.#underWay = this.#done;
    this.#done = new Set();
    return this.#write(expected, next, token);
  }

  /** What was done remains done, and is not done again by this instance. */
  forget(): void {
    for (const name of this.#underWay) this.#done.add(name);
    this.#underWay = new Set();
  }

  async #write(
    expected: string | null,
    value: string,
    token: number,
    also: readonly Put[] = [],
  ): Promise<CommitOutcome> {
    const { records, key, lease } = this.#options;
    const fence = { name: lease, token };
    const written = await records.batch([{ key, expected, value }, ...also], { fence });
    if (written.committed) this.#last = value;
    return written.committed ? 'committed' : written.reason;
  }
}

/** Somebody may remove a checkpoint by hand: then all would be done twice. */
function begunKey(key: string): string {
  return `{${key}}:begun`;
}

export const FROM_START = async (): Promise<FeedCursor> => FEED_START;
