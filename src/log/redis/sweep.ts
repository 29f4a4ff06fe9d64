/**
 * Looks for events that nobody published: others add to a log with a plain `XADD`. All followed
 * logs are asked about once per interval, a hundred logs a command, spread over the interval.
 */
import type { Redis } from 'ioredis';
import { type EventId, isAfter, MAX_ID } from '../../event/event-id.ts';
import { indexLogs } from './index-logs.ts';
import type { FollowedLog, Publications } from './publications.ts';
import { ScriptCalls } from './script-call.ts';
import { MOVED_SCRIPT } from './scripts.ts';

/** Few enough that asking about them takes less than a millisecond of this process at a time. */
const LOGS_PER_COMMAND = 100;

export class Sweep {
  readonly #redis: Redis;
  readonly #calls: ScriptCalls;
  readonly #publications: Publications;
  readonly #interval: number;
  /** The logs that this round has still to ask about; those that come meanwhile are at its end. */
  #round: IterableIterator<FollowedLog> | undefined;
  #commands = 1;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param interval how long, in milliseconds, until every followed log has been asked about; 0: never */
  constructor(redis: Redis, publications: Publications, interval: number) {
    this.#redis = redis;
    this.#calls = new ScriptCalls(redis);
    this.#publications = publications;
    this.#interval = interval;
    if (interval > 0) this.#schedule();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      void this.#step().finally(() => this.#schedule());
    }, this.#interval / this.#commands);
    this.#timer.unref();
  }

  async #step(): Promise<void> {
    let asked = this.#next();
    // The round before may have come to its end just so.
    if (asked.length === 0) asked = this.#next();
    if (asked.length === 0 || this.#redis.status !== 'ready') return;
    try {
      const positions = asked.map(lowestPosition);
      this.#calls.begin(MOVED_SCRIPT, asked.length, asked.length);
      for (const { key } of asked) this.#calls.text(key);
      for (const position of positions) this.#calls.text(position);
      const moved = (await this.#calls.send()) as string[];
      for (const movedKey of moved) {
        const index = asked.findIndex(({ key }) => key === movedKey);
        if (index >= 0) wake(asked[index]!, positions[index]!);
      }
      await indexLogs(this.#redis, moved);
    } catch {
      // Redis is away, or the scripts are not there yet: the next round comes soon enough.
    }
  }

  /** The logs that the next command asks about. */
  #next(): FollowedLog[] {
    if (this.#round === undefined) {
      this.#round = this.#publications.followed();
      this.#commands = Math.max(1, Math.ceil(this.#publications.size / LOGS_PER_COMMAND));
    }
    const logs: FollowedLog[] = [];
    for (let count = 0; count < LOGS_PER_COMMAND; count += 1) {
      const next = this.#round.next();
      if (next.done) {
        this.#round = undefined;
        break;
      }
      if (isListened(next.value)) logs.push(next.value);
    }
    return logs;
  }
}

function wake({ followings }: FollowedLog, asked: EventId): void {
  for (const { follower } of followings) {
    // One that has moved on since was told meanwhile; if not of all, the next round will see it.
    if (follower.position() === asked) follower.wake();
  }
}

function isListened({ followings, state }: FollowedLog): boolean {
  return state === 'acknowledged' && followings.size > 0;
}

function lowestPosition({ followings }: FollowedLog): EventId {
  // Nearly always one follower a log: one process has one `live`.
  let lowest = MAX_ID;
  for (const { follower } of followings) {
    const position = follower.position();
    if (isAfter(lowest, position)) lowest = position;
  }
  return lowest;
}
