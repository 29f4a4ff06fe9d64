/**
 * Looks for events that nobody published: others add to a log with a plain `XADD`. All followed
 * logs are asked about once per interval, a hundred logs a command, spread over the interval.
 */
import type { Redis } from 'ioredis';
import { type EventId, isAfter, MAX_ID } from '../../event/event-id.ts';
import { indexLogs } from './index-logs.ts';
import { logKey } from './keys.ts';
import type { FollowedLog, Publications } from './publications.ts';
import { MOVED_SCRIPT } from './scripts.ts';

/** Few enough that asking about them takes less than a millisecond of this process at a time. */
const LOGS_PER_COMMAND = 100;

export class Sweep {
  readonly #redis: Redis;
  readonly #publications: Publications;
  readonly #interval: number;
  #round: FollowedLog[] = [];
  #commands = 1;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param interval how long, in milliseconds, until every followed log has been asked about; 0: never */
  constructor(redis: Redis, publications: Publications, interval: number) {
    this.#redis = redis;
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
    if (this.#round.length === 0) {
      this.#round = [...this.#publications.followed()];
      this.#commands = Math.max(1, Math.ceil(this.#round.length / LOGS_PER_COMMAND));
    }
    const asked = new Map(
      this.#round
        .splice(0, LOGS_PER_COMMAND)
        .filter(isListened)
        .map((followed) => [logKey(followed.log), followed]),
    );
    if (asked.size === 0 || this.#redis.status !== 'ready') return;
    try {
      const positions = new Map(
        [...asked].map(([key, followed]) => [key, lowestPosition(followed)]),
      );
      const moved = (await this.#redis.evalsha(
        MOVED_SCRIPT.digest,
        asked.size,
        ...positions.keys(),
        ...positions.values(),
      )) as string[];
      for (const key of moved) this.#wake(asked.get(key), positions.get(key));
      await indexLogs(this.#redis, moved);
    } catch {
      // Redis is away, or the scripts are not there yet: the next round comes soon enough.
    }
  }

  #wake(followed: FollowedLog | undefined, asked: EventId | undefined): void {
    for (const { follower } of followed?.followings ?? []) {
      // One that has moved on since was told meanwhile; if not of all, the next round will see it.
      if (follower.position() === asked) follower.wake();
    }
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
