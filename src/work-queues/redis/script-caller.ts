/** Calls the scripts of this folder, and says what a failure means. */
import type { Redis } from 'ioredis';
import { Closed, OutcomeUnknown, Unavailable, WrongType } from '../../log/errors.ts';
import { failureOf, isWrongType, reasonOf } from '../../log/redis/connection.ts';
import type { Script } from '../../log/redis/scripts.ts';
import { TimedCommands } from '../../log/redis/timed-commands.ts';

/** The group is not there: nobody has made it yet, or Redis has lost it. */
export class NoGroup extends Error {}

export class ScriptCaller extends TimedCommands {
  /** Those of consumers, which end together with it. */
  readonly connections = new Set<Redis>();
  #closed = false;

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
      throw this.#translate(error, keys[0]!);
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
