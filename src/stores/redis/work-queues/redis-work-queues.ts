/** Work queues in Redis: a stream and a consumer group for each group. How they are laid out: keys.ts. */
import type { Redis } from 'ioredis';
import { checkGroup, parseJoinOptions } from '../../../work-queues/rules.ts';
import type {
  JoinOptions,
  Letter,
  WorkConsumer,
  WorkQueues,
} from '../../../work-queues/work-queues.ts';
import { RedisFeedIndex } from '../feed/redis-feed-index.ts';
import { type ConnectionOptions, longestBlock } from '../place/connection-options.ts';
import { whyUnusable } from '../place/opening.ts';
import { RedisPlace } from '../place/redis-place.ts';
import { checkRights } from '../place/rights.ts';
import { groupKeys } from './keys.ts';
import { RedisConsumer, type WaitingRoom } from './redis-consumer.ts';
import { RedisGroup } from './redis-group.ts';
import { ScriptCaller } from './script-caller.ts';
import { REDRIVE_SCRIPT } from './scripts.ts';
import { groupNeeds, WORK_QUEUES_NEEDS } from './work-queues-needs.ts';

export interface RedisWorkQueuesOptions extends ConnectionOptions {
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
  readonly #index: RedisFeedIndex;
  readonly #groups = new Map<string, RedisGroup>();
  readonly #leave: () => void;
  #closing: Promise<void> | undefined;

  private constructor(
    place: RedisPlace,
    { replyTimeout }: Pick<RedisWorkQueuesOptions, 'replyTimeout'>,
  ) {
    this.#waitingRoom = {
      connect: () => place.wait('work'),
      longestBlock: longestBlock(place.patience),
    };
    this.#redis = place.commands;
    this.#calls = new ScriptCaller(place.commands, replyTimeout);
    this.#leave = place.use();
    this.#index = new RedisFeedIndex((...call) => this.#calls.call(...call));
  }

  /**
   * Connects to Redis; each consumer that joins gets a connection more.
   * @param url `redis://` or `rediss://` (TLS), with user, password and database number if needed
   * @throws Unavailable when it cannot be reached; MillraceError `unsupported_store` when it is
   *   older than 7.0
   */
  static async open(url: string, options: RedisWorkQueuesOptions = {}): Promise<RedisWorkQueues> {
    return RedisPlace.openFor(
      url,
      { ...options, name: 'work-queues' },
      () => WORK_QUEUES_NEEDS,
      (place) => RedisWorkQueues.on(place, options),
    );
  }

  /**
   * The work queues of a place that is open, whose user may do what {@link WORK_QUEUES_NEEDS} says.
   * @internal
   */
  static on(
    place: RedisPlace,
    options: Pick<RedisWorkQueuesOptions, 'replyTimeout'> = {},
  ): RedisWorkQueues {
    return new RedisWorkQueues(place, options);
  }

  async join(group: string, options?: JoinOptions): Promise<WorkConsumer> {
    checkGroup(group);
    const request = parseJoinOptions(options);
    await this.#checkKeys(group);
    return RedisConsumer.join(
      this.#waitingRoom,
      this.#group(group),
      request,
      this.#redis,
      this.#calls,
    );
  }

  #group(name: string): RedisGroup {
    const group = this.#groups.get(name) ?? new RedisGroup(name, this.#calls, this.#index);
    this.#groups.set(name, group);
    return group;
  }

  async #checkKeys(group: string): Promise<void> {
    try {
      await this.#calls.send(() => checkRights(this.#redis, groupNeeds(group)));
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
    this.#closing ??= this.#calls.close().then(this.#leave);
    return this.#closing;
  }

  async #redrive(what: string, group: string, { log, event, letter }: Letter): Promise<void> {
    const { logs, queued, told, cursors, attempts, redrives } = groupKeys(checkGroup(group));
    const keys = [logs, queued, told, cursors, attempts, redrives];
    await this.#calls.call(REDRIVE_SCRIPT, keys, [what, log, event, letter]);
  }
}
