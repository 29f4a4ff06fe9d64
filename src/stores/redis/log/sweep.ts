/**
 * Looks for what nobody publishes: events that others add with a plain `XADD`, and logs that are
 * lost (removed, or replaced by something older). All followed logs are asked about once per
 * interval, a hundred logs a command, spread over the interval.
 *
 * Whether a log was replaced shows in its last event only, which is dearer than the rest: see
 * moved.lua. So that idle logs stay cheap, a closer look is taken at so many of them a round.
 */
import type { Redis } from 'ioredis';
import { type EventId, predecessorOf } from '../../../event/event-id.ts';
import { indexLogs } from '../feed/index-logs.ts';
import { callScript } from '../place/scripts.ts';
import type { ListenedLog, Publications } from './publications.ts';
import { MOVED_SCRIPT } from './scripts.ts';

/** Few enough that asking about them takes less than a millisecond of this process at a time. */
const LOGS_PER_COMMAND = 100;

/** At some 3 µs of Redis for each; a glance takes 1 µs. */
const CLOSER_LOOKS_PER_ROUND = 2_000;
/** A last event of 1 MiB takes Redis 2 ms: a log with such a one is looked at closely this seldom. */
const HEAVY_EVERY = 16;

/** What the script answers: how many logs it came to, and the numbers of some of them, from 1. */
type Answer = [looked: number, moved: number[], lost: number[], heavy: number[]];

interface Question {
  readonly asked: ListenedLog;
  readonly position: EventId;
  readonly isCloser: boolean;
}

export class Sweep {
  readonly #redis: Redis;
  readonly #publications: Publications;
  readonly #interval: number;
  /** The logs that this round has still to ask about; those that come meanwhile are at its end. */
  #round: IterableIterator<ListenedLog> | undefined;
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
    let asked = this.#next();
    // The round before may have come to its end just so.
    if (asked.length === 0) asked = this.#next();
    if (asked.length === 0 || this.#redis.status !== 'ready') return;
    const questions: Question[] = [];
    for (const log of asked) {
      const position = commonPosition(log);
      if (position === undefined) wakeAll(log);
      else questions.push({ asked: log, position, isCloser: this.#isCloserLookDue(log) });
    }
    try {
      for (let rest = questions; rest.length > 0 && !this.#closed; ) {
        const [looked, moved, lost, heavy] = await this.#ask(rest);
        for (const number of heavy) rest[number - 1]!.asked.closerLook.heavy = true;
        for (const number of lost) wakeAll(rest[number - 1]!.asked);
        for (const number of moved) wake(rest[number - 1]!);
        await indexLogs(
          this.#redis,
          moved.map((number) => rest[number - 1]!.asked.key),
        );
        rest = rest.slice(looked);
      }
    } catch {
      // Redis is away: the next round comes soon enough.
    }
  }

  #ask(questions: readonly Question[]): Promise<Answer> {
    const keys = questions.map(({ asked }) => asked.key);
    const positions = questions.map(({ position }) => position);
    const starts = questions.map(({ position, isCloser }) =>
      isCloser ? predecessorOf(position) : position,
    );
    return callScript(this.#redis, MOVED_SCRIPT, keys, [
      ...positions,
      ...starts,
    ]) as Promise<Answer>;
  }

  #isCloserLookDue({ closerLook }: ListenedLog): boolean {
    const rounds = closerLook.heavy
      ? HEAVY_EVERY
      : Math.ceil(this.#publications.size / CLOSER_LOOKS_PER_ROUND);
    closerLook.glances += 1;
    if (closerLook.glances < rounds) return false;
    closerLook.glances = 0;
    closerLook.heavy = false;
    return true;
  }

  /** The logs that the next command asks about. */
  #next(): ListenedLog[] {
    if (this.#round === undefined) {
      this.#round = this.#publications.followed();
      this.#commands = Math.max(1, Math.ceil(this.#publications.size / LOGS_PER_COMMAND));
    }
    const logs: ListenedLog[] = [];
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

function wake({ asked, position }: Question): void {
  for (const { follower } of asked.followings) {
    // One that has moved on since was told meanwhile; if not of all, the next round will see it.
    if (follower.position() === position) follower.wake();
  }
}

function wakeAll({ followings }: ListenedLog): void {
  for (const { follower } of followings) follower.wake();
}

function isListened({ followings, state }: ListenedLog): boolean {
  return state === 'acknowledged' && followings.size > 0;
}

/** Nearly always there is one follower a log: one process has one `live`. Several agree, or will soon. */
function commonPosition({ followings }: ListenedLog): EventId | undefined {
  let common: EventId | undefined;
  for (const { follower } of followings) {
    const position = follower.position();
    if (common !== undefined && position !== common) return undefined;
    common = position;
  }
  return common;
}
