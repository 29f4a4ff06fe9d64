/** Work queues in Redis: a stream and a consumer group for each group. How they are laid out: keys.ts. */
import type { Redis } from 'ioredis';
import { longestBlock } from '../../log/redis/connection.ts';
import { FEED_KEY, FEED_MARKS_KEY } from '../../log/redis/keys.ts';
import { connectTo, type OpeningOptions, whyUnusable } from '../../log/redis/opening.ts';
import { type CommandRight, checkRights } from '../../log/redis/rights.ts';
import { loadScript } from '../../log/redis/scripts.ts';
import { checkGroup, parseJoinOptions } from '../rules.ts';
import type { JoinOptions, Letter, WorkConsumer, WorkQueues } from '../work-queues.ts';
import { groupKeys } from './keys.ts';
import { RedisConsumer, type WaitingRoom } from './redis-consumer.ts';
import { ScriptCaller } from './script-caller.ts';

const REDRIVE_SCRIPT = loadScript(new URL('redrive.lua', import.meta.url));

/** What {@link RedisWorkQueues} asks of Redis. */
export const WORK_QUEUES_COMMANDS: readonly CommandRight[] = [
  ...(['time', 'type', 'exists', 'hget', 'hmget', 'hset', 'hdel', 'hexists', 'hscan'] as const),
  ...([
    'xadd',
    'xack',
    'xautoclaim',
    'xclaim',
    'xdel',
    'xgroup|create',
    'xgroup|delconsumer',
  ] as const),
  ...(['xinfo|consumers', 'xinfo|groups', 'xinfo|stream', 'xlen', 'xpending', 'xrange'] as const),
  ...(['xreadgroup', 'xrevrange', 'zadd', 'zcard', 'zrangebyscore', 'zrem', 'zscore'] as const),
];

export interface RedisWorkQueuesOptions extends OpeningOptions {
  /**
   * How long Redis may take to answer, in milliseconds, before a call fails with
   * `outcome_unknown` or `unavailable`. Default 5,000.
   */
  readonly replyTimeout?: number | undefined;
}

/** {@link WorkQueues} in Redis. While it cannot be reached, calls fail at once with `unavailable`. */
export class RedisWorkQueues implements WorkQueues {
  readonly #waitingRoom: WaitingRoom;
  readonly #redis: Redis;
  readonly #calls: ScriptCaller;
  #closing: Promise<void> | undefined;

  private constructor(url: string, redis: Redis, options: RedisWorkQueuesOptions) {
    this.#waitingRoom = {
      connect: () => connectTo(url, 'work', options),
      longestBlock: longestBlock(options),
    };
    this.#redis = redis;
    this.#calls = new ScriptCaller(redis, options.replyTimeout);
  }

  /**
   * Connects to Redis; each consumer that joins gets a connection more.
   * @param url `redis://` or `rediss://` (TLS), with user, password and database number if needed
   * @throws Unavailable when it cannot be reached; MillraceError `unsupported_store` when it is
   *   older than 7.0
   */
  static async open(url: string, options: RedisWorkQueuesOptions = {}): Promise<RedisWorkQueues> {
    const keys = { [FEED_KEY]: FEED_KEY, [FEED_MARKS_KEY]: FEED_MARKS_KEY };
    const needs = { commands: WORK_QUEUES_COMMANDS, keys };
    return new RedisWorkQueues(url, await connectTo(url, 'work-queues', options, needs), options);
  }

  async join(group: string, options?: JoinOptions): Promise<WorkConsumer> {
    checkGroup(group);
    const request = parseJoinOptions(options);
    await this.#checkKeys(group);
    return RedisConsumer.join(this.#waitingRoom, group, request, this.#redis, this.#calls);
  }

  async #checkKeys(group: string): Promise<void> {
    const keys = { [`{work:${group}}:*`]: groupKeys(group).logs };
    try {
      await this.#calls.send(() => checkRights(this.#redis, { commands: [], keys }));
    } catch (error) {
      throw whyUnusable(error);
    }
  }

  redrive(group: string, letter: Letter): Promise<void> {
    return this.#redrive('redrive', group, letter);
  }

  discard(group: string, letter: Letter): Promise<void> {
    return this.#redrive('discard', group, letter);
  }

  close(): Promise<void> {
    this.#closing ??= this.#calls.close();
    return this.#closing;
  }

  async #redrive(what: string, group: string, { log, event, letter }: Letter): Promise<void> {
    const { logs, queued, told, cursors, attempts, redrives } = groupKeys(checkGroup(group));
    const keys = [logs, queued, told, cursors, attempts, redrives];
    await this.#calls.call(REDRIVE_SCRIPT, keys, [what, log, event, letter]);
  }
}
