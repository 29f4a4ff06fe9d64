/**
 * A handler of commands for one process: it keeps the states of logs in memory, and commands of
 * one log share an append where they can.
 *
 *   account:1  ▸ c3 c2 c1 ──decide one after the other──► one append ──► each its own answer
 *   account:2  ▸ c1 ──► …                          logs do not wait for each other
 *
 * The memory is a guess: every append expects the version that the guess belongs to, and a refusal
 * is only final once it was checked that nobody else has appended since.
 */
import { InvalidInput } from '../../event/error.ts';
import type { LogName } from '../../event/log-name.ts';
import { Closed } from '../../event/store-errors.ts';
import { endsWith } from '../../log/dependents.ts';
import type { EventLog } from '../../log/log.ts';
import type { Decider } from '../decider.ts';
import { QueueFull } from '../errors.ts';
import {
  type CommandOptions,
  type Handled,
  type PendingCommand,
  type RetryOptions,
  retrying,
} from './command.ts';
import { identityOf } from './command-id.ts';
import { logOf } from './handle.ts';
import { type HandlingSource, handleTogether } from './handle-together.ts';
import { type KnownState, type SnapshotOptions, Snapshots } from './snapshots.ts';

const DEFAULT_CACHE = 1_000;
const DEFAULT_QUEUE = 1_000;
/** How many lanes are looked at to make room for one, so that it costs the same however many there are. */
const MAX_LOOKS = 4;
/** How many commands are decided for one append at most. */
const MAX_TOGETHER = 500;

export interface CommandHandlerOptions extends RetryOptions {
  /** How many logs are remembered with their states, besides those with commands under way; from 0. Default 1,000. */
  readonly cache?: number | undefined;
  /** How many commands may wait for one log; more are refused with QueueFull. From 1. Default 1,000. */
  readonly queue?: number | undefined;
  readonly snapshots?: SnapshotOptions | undefined;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

/** Handles commands of one decider, for one process. By {@link commandHandler}. */
export interface CommandHandler<State, Command, Payloads extends object> {
  /**
   * Handles a command like `handle`, with the same answer and the same errors, after those that
   * were handed over for the same log before. Commands that wait together are decided one after
   * the other and appended as one; what one of them throws is its own caller's alone. When the
   * store fails, all that were to be appended together get its error.
   * @throws QueueFull, Closed, and what `handle` throws
   */
  handle(command: Command, options?: CommandOptions): Promise<Handled<State, Payloads>>;
  /**
   * Turns away what waits and what comes, and resolves when nothing is under way any more. The log
   * stays open; closing it does this first.
   */
  close(): Promise<void>;
}

/**
 * Makes a handler that is to be kept and used for all commands of a decider in this process.
 *
 *     const accounts = commandHandler(store.log, account);
 *     const { state } = await accounts.handle({ account: '1', amount: 5 });
 *
 * Several processes may do so on the same logs: one is right, the others decide again.
 * @throws InvalidInput
 */
export function commandHandler<State, Command, Payloads extends object>(
  eventLog: Pick<EventLog, 'append' | 'read'>,
  decider: Decider<State, Command, Payloads>,
  options: CommandHandlerOptions = {},
): CommandHandler<State, Command, Payloads> {
  const { cache = DEFAULT_CACHE, queue = DEFAULT_QUEUE, snapshots, clock = Date.now } = options;
  const source = {
    eventLog,
    decider,
    snapshots: snapshots && new Snapshots<State>(snapshots, decider),
    retrying: retrying(options),
    clock,
  };
  return new Lanes(source, atLeast(cache, 0, 'cache'), atLeast(queue, 1, 'queue'));
}

class Lanes<State, Command, Payloads extends object>
  implements CommandHandler<State, Command, Payloads>
{
  readonly #source: HandlingSource<State, Command, Payloads>;
  readonly #cache: number;
  readonly #queue: number;
  /** The one that was used last is the last one. */
  readonly #lanes = new Map<LogName, Lane<State, Command, Payloads>>();
  #isClosed = false;
  #underWay = 0;
  /** Only while a command is under way: one that has none has nothing to end. */
  #leave: (() => void) | undefined;

  constructor(source: HandlingSource<State, Command, Payloads>, cache: number, queue: number) {
    this.#source = source;
    this.#cache = cache;
    this.#queue = queue;
  }

  async handle(command: Command, options: CommandOptions = {}): Promise<Handled<State, Payloads>> {
    if (this.#isClosed) throw new Closed('the command handler');
    const { decider } = this.#source;
    const log = logOf(decider, command, options);
    const identity = identityOf(decider.name, command, options.commandId);
    const lane = this.#laneOf(log);
    const { signal } = options;
    let withdraw: (() => void) | undefined;
    this.#underWay += 1;
    this.#leave ??= endsWith(this.#source.eventLog, 'commands', () => this.close());
    try {
      return await new Promise((resolve, reject) => {
        const pending: PendingCommand<State, Command, Payloads> = {
          command,
          options,
          identity,
          resolve,
          reject,
        };
        if (signal !== undefined) {
          withdraw = () => {
            if (lane.withdraw(pending)) reject(signal.reason);
          };
          signal.addEventListener('abort', withdraw, { once: true });
        }
        lane.add(pending);
      });
    } finally {
      if (withdraw !== undefined) signal?.removeEventListener('abort', withdraw);
      this.#underWay -= 1;
      if (this.#underWay === 0) {
        this.#leave?.();
        this.#leave = undefined;
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(Array.from(this.#lanes.values(), (lane) => lane.close()));
  }

  #laneOf(log: LogName): Lane<State, Command, Payloads> {
    const known = this.#lanes.get(log);
    const lane = known ?? new Lane(this.#source, log, this.#queue);
    this.#lanes.delete(log);
    if (known === undefined) this.#makeRoom();
    this.#lanes.set(log, lane);
    return lane;
  }

  /** Forgets the logs that were not used for longest; those with something under way get another turn. */
  #makeRoom(): void {
    let looks = 0;
    for (const [log, lane] of this.#lanes) {
      if (this.#lanes.size < this.#cache || looks === MAX_LOOKS) return;
      looks += 1;
      this.#lanes.delete(log);
      if (!lane.isIdle) this.#lanes.set(log, lane);
    }
  }
}

function atLeast(value: number, least: number, field: string): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new InvalidInput(field, `must be a whole number from ${least}`);
}

/** The commands of one log, in the order in which they came: some under way, the rest waiting. */
class Lane<State, Command, Payloads extends object> {
  readonly #source: HandlingSource<State, Command, Payloads>;
  readonly #log: LogName;
  readonly #limit: number;
  #known: KnownState<State> | undefined;
  #waiting: PendingCommand<State, Command, Payloads>[] = [];
  #running: Promise<void> | undefined;
  #saving: Promise<void> | undefined;

  constructor(
    source: HandlingSource<State, Command, Payloads>,
    log: LogName,
    /** How many commands may wait. */
    limit: number,
  ) {
    this.#source = source;
    this.#log = log;
    this.#limit = limit;
  }

  /** Whether nothing waits and nothing is under way. */
  get isIdle(): boolean {
    return this.#running === undefined && this.#saving === undefined;
  }

  add(pending: PendingCommand<State, Command, Payloads>): void {
    if (this.#waiting.length >= this.#limit) {
      pending.reject(new QueueFull(this.#log, this.#limit));
      return;
    }
    this.#waiting.push(pending);
    this.#running ??= this.#run();
  }

  /** Takes a command out of the queue. @returns false when it is under way already */
  withdraw(pending: PendingCommand<State, Command, Payloads>): boolean {
    const place = this.#waiting.indexOf(pending);
    if (place >= 0) this.#waiting.splice(place, 1);
    return place >= 0;
  }

  /** Turns away all that wait, and resolves when nothing is under way. */
  async close(): Promise<void> {
    for (const { reject } of this.#waiting.splice(0)) reject(new Closed('the command handler'));
    await this.#running;
    await this.#saving;
  }

  async #run(): Promise<void> {
    // Commands that are made in the same turn come together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const commands = this.#takeTogether();
      const outcome = await handleTogether(this.#source, this.#log, commands, this.#known);
      this.#known = outcome.known;
      if (outcome.left.length > 0) this.#waiting.unshift(...outcome.left);
      this.#saveIfDue();
    }
    this.#running = undefined;
  }

  /** Nobody waits for a snapshot. */
  #saveIfDue(): void {
    const { snapshots } = this.#source;
    const known = this.#known;
    if (known === undefined || !snapshots?.isDue(known) || this.#saving !== undefined) return;
    this.#known = { ...known, sinceSnapshot: 0 };
    this.#saving = snapshots.saveIfDue(this.#log, known).then(() => {
      this.#saving = undefined;
    });
  }

  /** The commands that can share the next append: a command ID is a producer, which an append has one of. */
  #takeTogether(): PendingCommand<State, Command, Payloads>[] {
    const stop = this.#waiting.findIndex(({ options }) => options.commandId !== undefined);
    const count = stop < 0 ? this.#waiting.length : Math.max(stop, 1);
    return this.#waiting.splice(0, Math.min(count, MAX_TOGETHER));
  }
}
