/**
 * Pages of events for the world outside, one event after the other. What was done there cannot be
 * committed together with a checkpoint, so after a crash the last ones are done again.
 *
 *   {lease:reaction:search}:place    the checkpoint, written under the lease whose token is beside it
 *   {lease:reaction:search}:begun    that there was one: somebody may remove it by hand, and then all
 *                                    would be done twice
 *
 * Releases up to 0.1.0 had both elsewhere, as `reaction:search` and `{reaction:search}:begun`. What
 * is found there is moved, in one step; the second stays, as `moved`, so that a process of such a
 * release which is started afterwards says `progress_lost` instead of beginning again.
 */
import type { StoredEvent } from '../event/event.ts';
import type { LogName } from '../event/log-name.ts';
import { ProgressLost } from '../event/store-errors.ts';
import { checkFeedCursor } from '../feed/cursor.ts';
import { FEED_START, type FeedCursor, type FeedItem } from '../feed/feed.ts';
import { orAborted } from '../log/or-aborted.ts';
import type { CommitOutcome } from '../read-models/read-models.ts';
import { guardedKey } from '../records/keys.ts';
import type { Change, Records } from '../records/records.ts';
import { EventFailed, Interrupted, placeOf } from './errors.ts';
import type { FeedTarget } from './feed-target.ts';

export interface ReactionsOptions<Event> {
  readonly records: Pick<Records, 'get' | 'compareAndSet' | 'batch'>;
  readonly name: string;
  /** The name of the lease, whose tokens fence. */
  readonly lease: string;
  /** Where to begin when there is no checkpoint: no more, where there was one at `last`. */
  readonly start: (last: FeedCursor | undefined) => Promise<FeedCursor>;
  readonly decode: (log: LogName, stored: StoredEvent) => Event | undefined;
  readonly each: (event: Event, signal: AbortSignal) => unknown;
  /** Aborted when nobody waits any longer for an `each` that is under way. */
  readonly late: AbortSignal;
}

/** The keys of its records. */
interface Keys {
  readonly place: string;
  readonly begun: string;
}

/** That an earlier release has begun, and that this one has what came of it. */
const MOVED = 'moved';

export class ReactionTarget<Event> implements FeedTarget {
  readonly #options: ReactionsOptions<Event>;
  readonly #keys: Keys;
  /** Where an earlier release had them. */
  readonly #former: Keys;
  /** Events that were done since the last commit. */
  #done = new Set<string>();
  #underWay = new Set<string>();
  /** The last checkpoint that this instance has seen. */
  #last: FeedCursor | undefined;

  constructor(options: ReactionsOptions<Event>) {
    const { name, lease } = options;
    this.#options = options;
    this.#keys = { place: guardedKey(lease, 'place'), begun: guardedKey(lease, 'begun') };
    this.#former = { place: `reaction:${name}`, begun: `{reaction:${name}}:begun` };
  }

  async peek(): Promise<FeedCursor | null> {
    const { records } = this.#options;
    return (await records.get(this.#keys.place)) ?? records.get(this.#former.place);
  }

  async begin(token: number): Promise<{ readonly cursor: FeedCursor } | 'fenced'> {
    const { records, start } = this.#options;
    const { place, begun } = this.#keys;
    for (;;) {
      const expected = await records.get(place);
      if (expected === null) {
        const moved = await this.#moveFormer(token);
        if (moved === 'fenced') return 'fenced';
        if (moved !== undefined) continue;
        if (!(await this.#isNew(this.#keys)) || !(await this.#isNew(this.#former))) continue;
      } else {
        checkFeedCursor(expected, place);
      }
      const cursor = expected ?? (await start(this.#last));
      const outcome = await this.#write(expected, cursor, token, [{ key: begun, value: '1' }]);
      if (outcome === 'fenced') return 'fenced';
      if (outcome === 'committed') return { cursor };
    }
  }

  /** @returns what came of it; undefined where there is nothing to move */
  async #moveFormer(token: number): Promise<CommitOutcome | undefined> {
    const { records } = this.#options;
    const former = this.#former;
    const cursor = await records.get(former.place);
    if (cursor === null || (await records.get(this.#keys.begun)) !== null) return undefined;
    checkFeedCursor(cursor, former.place);
    return this.#write(null, cursor, token, [
      { key: this.#keys.begun, value: '1' },
      { key: former.place, expected: cursor, value: null },
      { key: former.begun, value: MOVED },
    ]);
  }

  /**
   * Whether there has been no place yet; not so when it has come back meanwhile.
   * @throws ProgressLost when there was one, and it is gone
   */
  async #isNew({ place, begun }: Keys): Promise<boolean> {
    const { records, name } = this.#options;
    const isBegun = async () => ![null, MOVED].includes(await records.get(begun));
    if (!(await isBegun())) return true;
    if ((await records.get(place)) !== null || !(await isBegun())) return false;
    throw new ProgressLost(`the reaction ${name}`, place, `${begun}, too`);
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
    also: readonly Change[] = [],
  ): Promise<CommitOutcome> {
    const { records, lease } = this.#options;
    const key = this.#keys.place;
    const fence = { name: lease, token };
    const written = await records.batch([{ key, expected, value }, ...also], { fence });
    if (written.committed) this.#last = value;
    return written.committed ? 'committed' : written.reason;
  }
}

export const FROM_START = async (): Promise<FeedCursor> => FEED_START;
