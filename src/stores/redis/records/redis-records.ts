/**
 * Records in Redis, 7.0 and later: strings under their literal keys, changed by one script
 * (`batch.lua`). Times to live are those of Redis, by its own clock.
 */
import type { Redis } from 'ioredis';
import { Closed, OutcomeUnknown, Unavailable, WrongType } from '../../../event/store-errors.ts';
import { BatchRecords } from '../../../records/batch-records.ts';
import type { Change, Committed } from '../../../records/records.ts';
import { isAdd } from '../../../records/rules.ts';
import { failureOf, isWrongType, reasonOf } from '../place/connection.ts';
import type { ConnectionOptions } from '../place/connection-options.ts';
import { RedisPlace } from '../place/redis-place.ts';
import { TimedCommands } from '../place/timed-commands.ts';
import { recordsNeeds } from './records-needs.ts';
import { BATCH_SCRIPT } from './scripts.ts';

export interface RedisRecordsOptions extends ConnectionOptions {
  /**
   * Keys that this user must be allowed to use, as patterns with an example for each: where one is
   * not allowed, that is told when it is opened. Default none: an application has its own.
   */
  readonly keys?: Readonly<Record<string, string>> | undefined;
  /**
   * How long Redis may take to answer, in milliseconds, before a change fails with
   * `outcome_unknown` and a read with `unavailable`. Default 5,000.
   */
  readonly replyTimeout?: number | undefined;
}

/** {@link Records} in Redis. While it cannot be reached, calls fail at once with `unavailable`. */
export class RedisRecords extends BatchRecords {
  readonly #redis: Redis;
  readonly #commands: TimedCommands;
  readonly #leave: () => void;
  #closing: Promise<void> | undefined;

  private constructor(
    place: RedisPlace,
    { replyTimeout }: Pick<RedisRecordsOptions, 'replyTimeout'>,
  ) {
    super();
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
  static async open(url: string, options: RedisRecordsOptions = {}): Promise<RedisRecords> {
    const needs = () => recordsNeeds(options.keys);
    return RedisPlace.openFor(url, { ...options, name: 'records' }, needs, (place) =>
      RedisRecords.on(place, options),
    );
  }

  /**
   * The records of a place that is open, whose user may do what {@link recordsNeeds} says.
   * @internal
   */
  static on(
    place: RedisPlace,
    options: Pick<RedisRecordsOptions, 'replyTimeout'> = {},
  ): RedisRecords {
    return new RedisRecords(place, options);
  }

  close(): Promise<void> {
    this.#closing ??= this.#commands.end().then(this.#leave);
    return this.#closing;
  }

  protected async read(key: string): Promise<string | null> {
    this.#mustBeOpen();
    try {
      return await this.#commands.send(() => this.#redis.get(key));
    } catch (error) {
      if (isWrongType(error)) return this.#readHash(key);
      throw new Unavailable(reasonOf(error));
    }
  }

  /** What other programs keep as a hash, as sessions often are, reads as a JSON object. */
  async #readHash(key: string): Promise<string | null> {
    try {
      return JSON.stringify(await this.#commands.send(() => this.#redis.hgetall(key)));
    } catch (error) {
      if (isWrongType(error)) throw wrongType(key);
      throw new Unavailable(reasonOf(error));
    }
  }

  protected async commit(changes: readonly Change[]): Promise<Committed> {
    const keys = changes.map(({ key }) => key);
    const values = changes.flatMap(argumentsOf);
    let reply: unknown;
    this.#mustBeOpen();
    try {
      reply = await this.#commands.call(BATCH_SCRIPT, keys, values);
    } catch (error) {
      if (failureOf(error) === 'unanswered') {
        throw new OutcomeUnknown(reasonOf(error), undefined, 'the change');
      }
      throw new Unavailable(reasonOf(error));
    }
    return readReply(keys, reply as readonly [number, ...(number | string | null)[]]);
  }

  #mustBeOpen(): void {
    if (this.#closing !== undefined) throw new Closed('the store of records');
  }
}

function argumentsOf(change: Change): string[] {
  const life = change.timeToLive === undefined ? '' : String(change.timeToLive);
  if (isAdd(change)) return ['', '', 'add', String(change.add), life];
  const { expected, value } = change;
  const condition = expected === undefined ? '' : expected === null ? 'absent' : 'is';
  const action = value === undefined ? '' : value === null ? 'remove' : 'set';
  return [condition, expected ?? '', action, value ?? '', life];
}

function readReply(
  keys: readonly string[],
  [verdict, ...rest]: readonly [number, ...(number | string | null)[]],
): Committed {
  if (verdict === 1) return { committed: true, counts: rest.map(Number) };
  const key = keys[(rest[0] as number) - 1]!;
  if (verdict === 2) throw wrongType(key);
  return { committed: false, reason: 'changed', key, actual: (rest[1] as string | null) ?? null };
}

function wrongType(key: string): WrongType {
  return new WrongType(key, `${key} holds something that is not what is asked of a record there`);
}
