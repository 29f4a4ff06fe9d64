/** Calls the scripts of this folder, and says what a failure means. */
import type { Redis } from 'ioredis';
import { Closed, OutcomeUnknown, Unavailable, WrongType } from '../../log/errors.ts';
import { failureOf, isWrongType, reasonOf } from '../../log/redis/connection.ts';
import type { Script } from '../../log/redis/scripts.ts';

/** The group is not there: nobody has made it yet, or Redis has lost it. */
export class NoGroup extends Error {}

export class ScriptCaller {
  readonly #redis: Redis;
  readonly #replyTimeout: number;
  readonly #underWay = new Set<Promise<unknown>>();
  #closed = false;

  /** @param replyTimeout how long Redis may take to answer, in milliseconds */
  constructor(redis: Redis, replyTimeout: number) {
    this.#redis = redis;
    this.#replyTimeout = replyTimeout;
  }

  /** @throws NoGroup, Unavailable, OutcomeUnknown, WrongType, Closed */
  async call(
    script: Script,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    const rest = [...keys, ...values];
    try {
      return await this.send(() => this.#redis.evalsha(script.digest, keys.length, ...rest));
    } catch (error) {
      // Nothing ran, so that it may be sent again.
      if (failureOf(error) !== 'no_script') throw this.#translate(error, keys[0]!);
    }
    try {
      return await this.send(() => this.#redis.eval(script.source, keys.length, ...rest));
    } catch (error) {
      throw this.#translate(error, keys[0]!);
    }
  }

  /** Sends one command, and gives it up when its time is over. */
  async send<T>(command: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new Closed('the store of work queues');
    const answered = command();
    this.#underWay.add(answered);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`Redis took more than ${this.#replyTimeout} ms`));
        // Its late reply is of no use, and whatever follows on this connection would wait as well.
        this.#redis.disconnect(true);
      }, this.#replyTimeout);
    });
    try {
      return await Promise.race([answered, late]);
    } finally {
      clearTimeout(timer);
      this.#underWay.delete(answered);
    }
  }

  /** Takes no more, and waits for what is under way, `patience` milliseconds at most. */
  async close(patience: number): Promise<void> {
    this.#closed = true;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      Promise.allSettled(this.#underWay),
      new Promise((resolve) => {
        timer = setTimeout(resolve, patience);
      }),
    ]);
    clearTimeout(timer);
    this.#redis.disconnect();
  }

  #translate(error: unknown, key: string): Error {
    if (error instanceof Closed) return error;
    if (isNoGroup(error)) return new NoGroup();
    if (isWrongType(error)) return new WrongType(key);
    if (failureOf(error) === 'unanswered') {
      return new OutcomeUnknown(reasonOf(error), undefined, 'the change');
    }
    return new Unavailable(reasonOf(error));
  }
}

/** Whether Redis says that there is no such consumer group. */
export function isNoGroup(error: unknown): boolean {
  return failureOf(error) === 'refused' && /\bNOGROUP\b/.test((error as Error).message);
}
