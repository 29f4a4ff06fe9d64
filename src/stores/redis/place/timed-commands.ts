/** Commands on a connection of their own, each of which is given up when its time is over. */
import type { Redis } from 'ioredis';
import { callScript, type Script } from './scripts.ts';

/** How long Redis may take to answer where nobody says otherwise, in milliseconds. */
const DEFAULT_REPLY_TIMEOUT = 5_000;

/** How long the end waits for work under way, in milliseconds. */
const CLOSE_PATIENCE = 3_000;

export class TimedCommands {
  readonly #redis: Redis;
  readonly #replyTimeout: number;
  readonly #underWay = new Set<Promise<unknown>>();

  /** @param replyTimeout how long Redis may take to answer, in milliseconds */
  constructor(redis: Redis, replyTimeout: number = DEFAULT_REPLY_TIMEOUT) {
    this.#redis = redis;
    this.#replyTimeout = replyTimeout;
  }

  /** Sends one command. Fails as commands do; see `failureOf`. */
  async send<T>(command: () => Promise<T>): Promise<T> {
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

  call(
    script: Script,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    return this.send(() => callScript(this.#redis, script, keys, values));
  }

  /** Waits for what is under way, not for long, and disconnects. */
  async end(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      Promise.allSettled(this.#underWay),
      new Promise((resolve) => {
        timer = setTimeout(resolve, CLOSE_PATIENCE);
      }),
    ]);
    clearTimeout(timer);
    this.#redis.disconnect();
  }
}
