/** Calls the scripts of this folder, and says what a failure means. */
import type { Redis } from 'ioredis';
import { Closed, OutcomeUnknown, Unavailable } from '../../../event/store-errors.ts';
import { findOccupied } from '../occupied.ts';
import { failureOf, isWrongType, reasonOf } from '../place/connection.ts';
import type { Script } from '../place/scripts.ts';
import { TimedCommands } from '../place/timed-commands.ts';
import { keptUnder } from './keys.ts';

/** The group is not there: nobody has made it yet, or Redis has lost it. */
export class NoGroup extends Error {}

export class ScriptCaller extends TimedCommands {
  /** Those of consumers, which end together with it. */
  readonly connections = new Set<Redis>();
  readonly #redis: Redis;
  #closed = false;

  constructor(redis: Redis, replyTimeout?: number) {
    super(redis, replyTimeout);
    this.#redis = redis;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** @throws NoGroup, Unavailable, OutcomeUnknown, WrongType, Closed */
  override async call(
    script: Script,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await super.call(script, keys, values);
    } catch (error) {
      throw isWrongType(error) ? await this.#wrongType(error, keys) : translate(error, keys);
    }
  }

  override async send<T>(command: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new Closed('the store of work queues');
    return super.send(command);
  }

  /** Takes no more, and lets what is under way come to its end. */
  close(): Promise<void> {
    this.#closed = true;
    for (const connection of this.connections) connection.disconnect();
    return this.end();
  }

  async #wrongType(error: unknown, keys: readonly string[]): Promise<Error> {
    const found = await this.send(() => findOccupied(this.#redis, keys, keptUnder));
    // Otherwise somebody has put it right meanwhile.
    return found ?? new Unavailable(reasonOf(error));
  }
}

function translate(error: unknown, keys: readonly string[]): Error {
  if (error instanceof Closed) return error;
  if (isNoGroup(error)) return new NoGroup();
  const reason = reasonOf(error);
  if (failureOf(error) === 'unanswered') return new OutcomeUnknown(reason, undefined, 'the change');
  if (/exhausted the last possible ID/.test(reason)) {
    const logs = keys.find((key) => key.endsWith(':logs'));
    return new Unavailable(`${logs} has no ID left to give out; remove it, and it is made anew`);
  }
  return new Unavailable(reason);
}

/** Whether Redis says that there is no such consumer group. */
export function isNoGroup(error: unknown): boolean {
  return failureOf(error) === 'refused' && /\bNOGROUP\b/.test((error as Error).message);
}
