/**
 * Read models in Redis, 7.0 and later: a hash for each table, which other programs may read as it
 * stands, and beside it the checkpoint. One script commits both.
 */
import type { Redis } from 'ioredis';
import { Closed, OutcomeUnknown, Unavailable, WrongType } from '../../../event/store-errors.ts';
import type {
  Checkpoint,
  CommitOutcome,
  ReadModelCommit,
  ReadModels,
} from '../../../read-models/read-models.ts';
import { checkCommit, checkRowKey, checkTable } from '../../../read-models/rules.ts';
import { findOccupied } from '../occupied.ts';
import { failureOf, isWrongType, reasonOf } from '../place/connection.ts';
import type { ConnectionOptions } from '../place/connection-options.ts';
import { RedisPlace } from '../place/redis-place.ts';
import { TimedCommands } from '../place/timed-commands.ts';
import { checkpointKey, rowsKey } from './keys.ts';
import { READ_MODELS_NEEDS } from './read-models-needs.ts';
import { COMMIT_SCRIPT } from './scripts.ts';

/** About how many rows one command asks for, so that none holds Redis for long. */
const STEP = 1_000;

export interface RedisReadModelsOptions extends ConnectionOptions {
  /**
   * How long Redis may take to answer, in milliseconds, before a change fails with
   * `outcome_unknown` and a read with `unavailable`. Default 5,000.
   */
  readonly replyTimeout?: number | undefined;
}

/** {@link ReadModels} in Redis. While it cannot be reached, calls fail at once with `unavailable`. */
export class RedisReadModels implements ReadModels {
  readonly #redis: Redis;
  readonly #commands: TimedCommands;
  readonly #leave: () => void;
  #closing: Promise<void> | undefined;

  private constructor(
    place: RedisPlace,
    { replyTimeout }: Pick<RedisReadModelsOptions, 'replyTimeout'>,
  ) {
    this.#redis = place.commands;
    this.#commands = new TimedCommands(place.commands, replyTimeout);
    this.#leave = place.use();
  }

  /**
   * Connects to Redis.
   * @param url `redis://` or `rediss://` (TLS), with user, password and database number if needed
   * @throws Unavailable when it cannot be reached; MillraceError `unsupported_store` when it is
   *   older than 7.0
   */
  static async open(url: string, options: RedisReadModelsOptions = {}): Promise<RedisReadModels> {
    return RedisPlace.openFor(
      url,
      { ...options, name: 'read-models' },
      () => READ_MODELS_NEEDS,
      (place) => RedisReadModels.on(place, options),
    );
  }

  /**
   * The read models of a place that is open, whose user may do what {@link READ_MODELS_NEEDS} says.
   * @internal
   */
  static on(
    place: RedisPlace,
    options: Pick<RedisReadModelsOptions, 'replyTimeout'> = {},
  ): RedisReadModels {
    return new RedisReadModels(place, options);
  }

  async checkpoint(table: string): Promise<Checkpoint | null> {
    const key = checkpointKey(checkTable(table));
    const [cursor, token] = await this.#read(key, () => this.#redis.hmget(key, 'cursor', 'token'));
    return typeof cursor === 'string' ? { cursor, token: Number(token) } : null;
  }

  async get(table: string, keys: readonly string[]): Promise<readonly (string | null)[]> {
    const key = rowsKey(checkTable(table));
    for (const row of keys) checkRowKey(row);
    const steps: Promise<(string | null)[]>[] = [];
    for (let start = 0; start < keys.length; start += STEP) {
      const some = keys.slice(start, start + STEP);
      steps.push(this.#read(key, () => this.#redis.hmget(key, ...some)));
    }
    return (await Promise.all(steps)).flat();
  }

  async commit(table: string, commit: ReadModelCommit): Promise<CommitOutcome> {
    checkTable(table);
    checkCommit(commit);
    const { changes, expected, next, token } = commit;
    const set: string[] = [];
    const removed: string[] = [];
    for (const [key, text] of changes) {
      if (text === null) removed.push(key);
      else set.push(key, text);
    }
    const condition = expected === null ? 'absent' : 'at';
    const head = [String(token), condition, expected ?? '', next, String(set.length / 2)];
    const keys = [rowsKey(table), checkpointKey(table)];
    return this.#change(keys, () =>
      this.#commands.call(COMMIT_SCRIPT, keys, [...head, ...set, ...removed]),
    ) as Promise<CommitOutcome>;
  }

  async *rows(table: string): AsyncGenerator<readonly [key: string, text: string]> {
    const key = rowsKey(checkTable(table));
    // Redis tells a row again when its hash grows meanwhile; and one of the fields is no row.
    const told = new Set<string>(['']);
    let cursor = '0';
    do {
      const [next, fields] = await this.#read(key, () =>
        this.#redis.hscan(key, cursor, 'COUNT', STEP),
      );
      for (let index = 0; index < fields.length; index += 2) {
        const row = fields[index]!;
        if (told.has(row)) continue;
        told.add(row);
        yield [row, fields[index + 1]!];
      }
      cursor = next;
    } while (cursor !== '0');
  }

  async drop(table: string): Promise<void> {
    const keys = [rowsKey(checkTable(table)), checkpointKey(table)];
    await this.#change(keys, () => this.#commands.send(() => this.#redis.unlink(...keys)));
  }

  close(): Promise<void> {
    this.#closing ??= this.#commands.end().then(this.#leave);
    return this.#closing;
  }

  async #read<T>(key: string, command: () => Promise<T>): Promise<T> {
    this.#mustBeOpen();
    try {
      return await this.#commands.send(command);
    } catch (error) {
      if (isWrongType(error)) throw await this.#wrongType([key]);
      throw new Unavailable(reasonOf(error));
    }
  }

  async #change<T>(keys: readonly string[], change: () => Promise<T>): Promise<T> {
    this.#mustBeOpen();
    try {
      return await change();
    } catch (error) {
      if (isWrongType(error)) throw await this.#wrongType(keys);
      if (failureOf(error) === 'unanswered') {
        throw new OutcomeUnknown(reasonOf(error), undefined, 'the change');
      }
      throw new Unavailable(reasonOf(error));
    }
  }

  async #wrongType(keys: readonly string[]): Promise<WrongType> {
    return (await findOccupied(this.#redis, keys, () => 'hash')) ?? new WrongType(keys[0]!);
  }

  #mustBeOpen(): void {
    if (this.#closing !== undefined) throw new Closed('the store of read models');
  }
}
