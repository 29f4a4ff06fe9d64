/** A log that grows, is trimmed and loses its end, and an upstream over it that delivers when it is told to. */

import type { ClientStart, Receiver } from '../../../../src/client/upstream.ts';
import type { StoredEvent } from '../../../../src/event/event.ts';
import { StoredEvent as Stored } from '../../../../src/event/event.ts';
import {
  compareEventIds,
  cursorBefore,
  type EventId,
  isAfter,
  ZERO_ID,
} from '../../../../src/event/event-id.ts';
import type { LogName } from '../../../../src/event/log-name.ts';

export const LOG = 'room:1' as LogName;

/** The n-th event, of time n. */
export function event(n: number, payload: unknown = n, meta?: object): StoredEvent {
  const id = `${n}-0` as EventId;
  return new Stored(id, 'Counted', 'json', JSON.stringify(payload), meta && JSON.stringify(meta));
}

export function events(first: number, last: number): StoredEvent[] {
  return Array.from({ length: last - first + 1 }, (_, index) => event(first + index));
}

export class ModelLog {
  /** All that were not lost, also the trimmed ones. */
  all: StoredEvent[] = [];
  trimmedTo: EventId = ZERO_ID;
  version: EventId = ZERO_ID;
  #next = 1;

  append(count = 1): void {
    for (let left = count; left > 0; left -= 1) {
      this.all.push(event(this.#next));
      this.version = `${this.#next}-0` as EventId;
      this.#next += 1;
    }
  }

  get kept(): StoredEvent[] {
    return this.all.filter(({ id }) => isAfter(id, this.trimmedTo));
  }

  trim(count: number): void {
    this.trimmedTo = this.kept[count - 1]?.id ?? this.trimmedTo;
  }

  /** The last ones are gone; what comes has other IDs. */
  lose(count: number): void {
    this.all.splice(Math.max(0, this.all.length - count), count);
    this.version = this.all.at(-1)?.id ?? ZERO_ID;
    if (isAfter(this.trimmedTo, this.version)) this.trimmedTo = this.version;
    this.#next += 1;
  }

  standing(after: EventId): 'whole' | 'trimmed' | 'reset' {
    if (after === this.trimmedTo || after === this.version) return 'whole';
    // Of what was trimmed nobody can tell any more whether it was there.
    if (isAfter(this.trimmedTo, after)) return 'trimmed';
    return this.all.some(({ id }) => id === after) ? 'whole' : 'reset';
  }
}

export class ModelUpstream {
  readonly follows: ClientStart[] = [];
  unfollowed = 0;
  #start: ClientStart | undefined;
  #cursor: EventId | undefined;
  #isChecked = false;
  #isLive = false;
  readonly #log: ModelLog;
  readonly #receiver: () => Receiver;

  constructor(log: ModelLog, receiver: () => Receiver) {
    this.#log = log;
    this.#receiver = receiver;
  }

  follow(_log: LogName, start: ClientStart): void {
    this.follows.push(start);
    this.#start = start;
    this.#cursor = undefined;
    this.#isLive = false;
  }

  unfollow(): void {
    this.unfollowed += 1;
    this.#start = undefined;
  }

  /** The connection is made anew: the gateway looks at the cursor again, and says when all is there. */
  reconnect(): void {
    this.#isChecked = false;
    this.#isLive = false;
  }

  /** Delivers one thing, of at most so many events. @returns whether there was any */
  step(most = 1_000): boolean {
    const log = this.#log;
    const receiver = this.#receiver();
    const start = this.#start;
    if (start === undefined) return false;
    if (this.#cursor === undefined) {
      this.#isChecked = start === 'now' || !('after' in start);
      this.#cursor = this.#placeOf(start);
    }
    if (!this.#isChecked) {
      this.#isChecked = true;
      const standing = log.standing(this.#cursor);
      if (standing === 'trimmed') {
        this.#cursor = log.trimmedTo;
        this.#isLive = false;
        receiver.trimmed(LOG, log.trimmedTo);
        return true;
      }
      if (standing === 'reset') {
        this.#cursor = log.trimmedTo;
        this.#isLive = false;
        receiver.reset(LOG, log.version);
        return true;
      }
    }
    const cursor = this.#cursor;
    const next = log.kept.filter(({ id }) => isAfter(id, cursor)).slice(0, most);
    if (next.length > 0) {
      this.#cursor = next.at(-1)!.id;
      receiver.events(LOG, next);
      return true;
    }
    if (this.#isLive) return false;
    this.#isLive = true;
    if (compareEventIds(log.version, cursor) > 0) this.#cursor = log.version;
    receiver.live(LOG, this.#cursor);
    return true;
  }

  run(): void {
    while (this.step());
  }

  #placeOf(start: ClientStart): EventId {
    const { kept, version, trimmedTo } = this.#log;
    if (start === 'now') return version;
    if ('after' in start) return start.after;
    if ('since' in start) return cursorBefore(start.since);
    return kept.at(-start.last - 1)?.id ?? trimmedTo;
  }
}
