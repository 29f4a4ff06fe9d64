/** The commands of one log, in the order in which they came: some under way, the rest waiting. */
import type { LogName } from '../../event/log-name.ts';
import { Closed } from '../../event/store-errors.ts';
import { QueueFull } from '../errors.ts';
import type { PendingCommand } from './command.ts';
import { type HandlingSource, handleTogether } from './handle-together.ts';
import type { KnownState } from './known-state.ts';

/** How many commands are decided for one append at most. */
const MAX_TOGETHER = 500;

export class Lane<State, Command, Payloads extends object> {
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
