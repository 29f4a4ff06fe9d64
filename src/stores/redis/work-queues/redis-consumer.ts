/**
 * A member of a group in Redis. What waits for work has a connection of its own, which is blocked
 * while it waits (`XREADGROUP … BLOCK`); all else goes through scripts on the shared one.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { type EventId, predecessorOf, ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import { Closed, OutcomeUnknown, Unavailable } from '../../../event/store-errors.ts';
import { type JoinRequest, LONGEST_WAIT } from '../../../work-queues/rules.ts';
import type {
  Attempt,
  LeasedLog,
  Redrive,
  Settlement,
  WorkConsumer,
} from '../../../work-queues/work-queues.ts';
import { reasonOf } from '../place/connection.ts';
import type { Script } from '../place/scripts.ts';
import type { GroupKeys } from './keys.ts';
import type { RedisGroup } from './redis-group.ts';
import { isNoGroup, NoGroup, type ScriptCaller } from './script-caller.ts';
import { LEAVE_SCRIPT, SETTLE_SCRIPT, TAKE_SCRIPT } from './scripts.ts';

/** How many logs one call settles, or gives up. */
const SETTLE_STEP = 200;
/** How many logs a take leases at most. */
const TAKE_STEP = 1_000;
/** A consumer that Redis has not heard of for so many lease times, and that has nothing, is forgotten. */
const FORGOTTEN_AFTER = 100;

type Leased = readonly [log: string, entry: string, deliveries: number, ...string[]];

/** Where a consumer waits for work. */
export interface WaitingRoom {
  /** Opens a connection of its own for it. */
  connect(): Promise<Redis>;
  /** How long one command may block there, in milliseconds. */
  readonly longestBlock: number;
}

export class RedisConsumer implements WorkConsumer {
  readonly #calls: ScriptCaller;
  readonly #redis: Redis;
  readonly #waiting: Redis;
  readonly #longestBlock: number;
  readonly #group: RedisGroup;
  readonly #keys: GroupKeys;
  readonly #request: JoinRequest;
  readonly #name = randomUUID();
  /** Where to go on looking for leases that ran out, and when. */
  #claimFrom = '0-0';
  #nextClaim = 0;
  #left: Promise<void> | undefined;

  private constructor(
    group: RedisGroup,
    request: JoinRequest,
    redis: Redis,
    calls: ScriptCaller,
    waiting: Redis,
    longestBlock: number,
  ) {
    this.#group = group;
    this.#keys = group.keys;
    this.#request = request;
    this.#redis = redis;
    this.#calls = calls;
    this.#waiting = waiting;
    this.#longestBlock = longestBlock;
  }

  static async join(
    room: WaitingRoom,
    group: RedisGroup,
    request: JoinRequest,
    redis: Redis,
    calls: ScriptCaller,
  ): Promise<RedisConsumer> {
    const waiting = await room.connect();
    try {
      const consumer = new RedisConsumer(group, request, redis, calls, waiting, room.longestBlock);
      await group.make(request);
      await consumer.#forgetOthers();
      calls.connections.add(waiting);
      return consumer;
    } catch (error) {
      waiting.disconnect();
      throw error;
    }
  }

  async look(): Promise<boolean> {
    this.#mustBeIn();
    return this.#group.look(this.#request);
  }

  async take(limit: number, wait: number, signal?: AbortSignal): Promise<readonly LeasedLog[]> {
    this.#mustBeIn();
    const most = Math.min(limit, TAKE_STEP);
    const taken = await this.#take(most, []);
    if (taken.length > 0 || wait <= 0 || signal?.aborted) return taken;
    const untilClaim = Math.max(1, this.#nextClaim - performance.now());
    const entries = await this.#wait(
      most,
      Math.min(wait, LONGEST_WAIT, untilClaim, this.#longestBlock),
      signal,
    );
    // What is leased and not told of comes back by itself, when the lease runs out or we leave.
    if (entries.length === 0 || signal?.aborted) return [];
    return this.#take(entries.length, entries);
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    this.#mustBeIn();
    const { logs, queued, told, cursors, attempts, delayed, redrives } = this.#keys;
    const keys = [logs, queued, told, cursors, attempts, delayed, redrives];
    const answers: boolean[] = [];
    for (let start = 0; start < settlements.length; start += SETTLE_STEP) {
      const some = settlements.slice(start, start + SETTLE_STEP);
      const values = [this.#name, ...some.flatMap(argumentsOf)];
      const answer = await this.#unlessGone(SETTLE_SCRIPT, keys, values);
      const kept = answer as readonly number[] | undefined;
      for (let index = 0; index < some.length; index++) answers.push(kept?.[index] === 1);
    }
    return answers;
  }

  async lag(): Promise<number> {
    this.#mustBeIn();
    return this.#group.lag(this.#request);
  }

  leave(still: readonly LeasedLog[] = []): Promise<void> {
    this.#left ??= this.#leave(still);
    return this.#left;
  }

  async #leave(still: readonly LeasedLog[]): Promise<void> {
    // First, so that Redis cannot hand anything out to it afterwards.
    this.#waiting.disconnect();
    this.#calls.connections.delete(this.#waiting);
    const { logs, queued } = this.#keys;
    const kept = still.map(({ lease }) => lease.split(' ')[0]!);
    const most = SETTLE_STEP + kept.length;
    let more: unknown;
    do {
      more = await this.#unlessGone(LEAVE_SCRIPT, [logs, queued], [this.#name, most, ...kept]);
    } while (more === 1);
  }

  /** Processes that died have left their names behind. */
  async #forgetOthers(): Promise<void> {
    const { logs } = this.#keys;
    const longest = FORGOTTEN_AFTER * this.#request.leaseTime;
    try {
      const consumers = await this.#calls.send(
        () => this.#redis.xinfo('CONSUMERS', logs, 'workers') as Promise<(string | number)[][]>,
      );
      for (const facts of consumers) {
        const fact = (name: string) => facts[facts.indexOf(name) + 1]!;
        if (Number(fact('idle')) < longest || Number(fact('pending')) > 0) continue;
        await this.#unlessGone(
          LEAVE_SCRIPT,
          [logs, this.#keys.queued],
          [String(fact('name')), SETTLE_STEP],
        );
      }
    } catch (error) {
      // They only take room.
      if (error instanceof Closed) throw error;
    }
  }

  async #take(most: number, entries: readonly string[]): Promise<LeasedLog[]> {
    const { logs, queued, told, cursors, attempts, redrives } = this.#keys;
    const keys = [logs, queued, told, cursors, attempts, redrives];
    const now = performance.now();
    const claims = entries.length === 0 && now >= this.#nextClaim;
    const idle = claims ? this.#request.leaseTime : '';
    const values = [this.#name, most, idle, this.#claimFrom, ...entries];
    const reply = (await this.#unlessGone(TAKE_SCRIPT, keys, values)) ?? [];
    const [from, ...leased] = reply as readonly [string?, ...Leased[]];
    if (from === undefined) {
      await this.#group.make(this.#request);
      return [];
    }
    if (claims) {
      this.#claimFrom = from;
      if (from === '0-0') this.#nextClaim = now + this.#request.leaseTime / 4;
    }
    return leased.map(leasedLog);
  }

  async #wait(
    most: number,
    wait: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    const waiting = this.#waiting;
    // The only way to end a command that blocks; it connects again by itself.
    const cut = () => waiting.disconnect(true);
    signal?.addEventListener('abort', cut);
    const { logs } = this.#keys;
    const block = Math.ceil(wait);
    try {
      const reply = (await waiting.xreadgroup(
        ...(['GROUP', 'workers', this.#name, 'COUNT', most] as const),
        ...(['BLOCK', block, 'STREAMS', logs, '>'] as const),
      )) as [string, [string, string[]][]][] | null;
      return reply?.[0]?.[1].map(([entry]) => entry) ?? [];
    } catch (error) {
      if (signal?.aborted || this.#left !== undefined || this.#calls.isClosed) return [];
      if (!isNoGroup(error)) throw new Unavailable(reasonOf(error));
      await this.#group.make(this.#request);
      return [];
    } finally {
      signal?.removeEventListener('abort', cut);
    }
  }

  async #unlessGone(
    script: Script,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await this.#calls.call(script, keys, values);
    } catch (error) {
      if (error instanceof NoGroup) return undefined;
      // Asked again, a take finds what it had leased when the lease has run out.
      if (script === TAKE_SCRIPT && error instanceof OutcomeUnknown) {
        throw new Unavailable('no answer', { cause: error });
      }
      throw error;
    }
  }

  #mustBeIn(): void {
    if (this.#left !== undefined) throw new Closed('the membership in the group');
  }
}

function argumentsOf({ leased, cursor, attempt, redrive, next }: Settlement): string[] {
  const [entry, deliveries] = leased.lease.split(' ') as [string, string];
  return [
    ...[leased.log, entry, deliveries, cursor ?? ''],
    attempt === undefined ? '' : `${attempt.event} ${attempt.count}`,
    ...[redrive?.letter ?? '', String(redrive?.attempts ?? '')],
    ...(typeof next === 'object' ? ['after', String(Math.ceil(next.after))] : [next, leased.told]),
  ];
}

function leasedLog(facts: Leased): LeasedLog {
  const [log, entry, deliveries, cursor, told, attempt, redrives] = facts as readonly [
    ...[log: LogName, entry: string, deliveries: number],
    ...[cursor: string, told: EventId | '', attempt: string, redrives: string],
  ];
  const unchecked = cursor?.startsWith('~') === true;
  return {
    log,
    lease: `${entry} ${deliveries}`,
    cursor: unchecked ? predecessorOf(cursor.slice(1) as EventId) : (cursor as EventId) || ZERO_ID,
    unchecked,
    told: told || ZERO_ID,
    attempt: readAttempt(attempt),
    redrives: redrives?.split(' ').filter(Boolean).map(readRedrive) ?? [],
    takeovers: deliveries - 1,
  };
}

function readAttempt(text: string | undefined): Attempt | undefined {
  const [event, count] = text?.split(' ') ?? [];
  return event && count ? { event: event as EventId, count: Number(count) } : undefined;
}

function readRedrive(text: string): Redrive {
  const [event, letter, attempts] = text.split('/') as [EventId, EventId, string];
  return { event, letter, attempts: Number(attempts) };
}
