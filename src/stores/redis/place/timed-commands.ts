/**
 * Commands on the connection that a place shares, each of which is given up when its time is over.
 *
 * Alone, where answers come over the connection: others would otherwise lose what they have under
 * way, and not know what became of it. But where nothing at all has come since it was sent, nothing
 * will come for the others either, and whatever follows would wait as long: then the connection goes.
 */
import type { Redis } from 'ioredis';
import { cutIfSilent } from './liveness.ts';
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
    const cut = cutIfSilent(this.#redis);
    const answered = command();
    this.#underWay.add(answered);
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        // After a pause of our own, the answer may be there already, to be read in this very turn.
        setImmediate(() => {
          if (isOver) return;
          reject(new Error(`Redis took more than ${this.#replyTimeout} ms`));
          cut();
        });
      }, this.#replyTimeout);
    });
    try {
      return await Promise.race([answered, late]);
    } finally {
      isOver = true;
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

  /** Waits for what is under way, not for long. */
  async end(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      Promise.allSettled(this.#underWay),
      new Promise((resolve) => {
        timer = setTimeout(resolve, CLOSE_PATIENCE);
      }),
    ]);
    clearTimeout(timer);
  }
}
