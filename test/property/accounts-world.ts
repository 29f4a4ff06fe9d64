/**
 * A world of processes that register, change and close accounts on one store, of which the test
 * says when each may take its next step, and how that ends. Every call to the log or the records
 * is a step. A process that gets no more steps has crashed; one that gets them late was paused.
 */
import { type Accounts, createAccounts } from '../../src/accounts/accounts.ts';
import type { MillraceError } from '../../src/event/error.ts';
import { accountLog } from '../../src/event/log-name.ts';
import { OutcomeUnknown, Unavailable } from '../../src/event/store-errors.ts';
import type { EventLog } from '../../src/log/log.ts';
import type { Records } from '../../src/records/records.ts';

/** In milliseconds of the world's clock. */
export const CLAIM_TIME = 1_000;

export interface SharedStore {
  readonly log: EventLog;
  readonly records: Records;
}

/** How a step ends. */
export type Fate =
  | 'done'
  /** It happens, and the answer is lost. */
  | 'unanswered'
  /** It does not happen, and nobody says so. */
  | 'lost'
  /** It happens when the world lets it, long after everybody gave up waiting for the answer. */
  | 'late'
  /** It does not happen, and that is said. */
  | 'unavailable';

export type Task =
  | { readonly does: 'register'; readonly email: string }
  | { readonly does: 'changeEmail'; readonly id: string; readonly email: string }
  | { readonly does: 'close'; readonly id: string }
  | { readonly does: 'findByEmail'; readonly email: string }
  | { readonly does: 'sweep' };

/** What a process was told. */
export type Answer =
  | { readonly told: 'done'; readonly id: string | undefined }
  | { readonly told: 'refused'; readonly code: string }
  | { readonly told: 'unknown' };

/** How some calls end, one after another. */
export interface Weather {
  readonly fate: Fate;
  /** How many. */
  calls: number;
  /** Only those that change something, or the reads in between too. */
  readonly also: 'writes' | 'reads';
}

export class Process {
  readonly name: string;
  readonly task: Task;
  answer: Answer | undefined;
  /** Calls that wait for the world, in their order: some are made at the same time. */
  readonly #waiting: ((fate: Fate) => void)[] = [];
  #underWay = 0;
  #attempts = 0;
  #idle: (() => void) | undefined;
  #weather: Weather = { fate: 'done', calls: 0, also: 'writes' };

  /** Of calls made at the same time, the last one goes first. */
  readonly #lastFirst: boolean;

  constructor(name: string, task: Task, lastFirst: boolean) {
    this.name = name;
    this.task = task;
    this.#lastFirst = lastFirst;
  }

  /** Names its attempts, so that its events can be told. */
  readonly random = (): string => {
    this.#attempts += 1;
    return `${this.name}/${this.#attempts}`;
  };

  /** Resolves when the process waits for its next step, or has come to its end. */
  async run(accounts: Accounts): Promise<void> {
    void perform(accounts, this.task).then((answer) => {
      this.answer = answer;
      this.#idle?.();
    });
    await this.#untilIdle();
  }

  async step(fate: Fate): Promise<void> {
    const next = this.#lastFirst ? this.#waiting.pop() : this.#waiting.shift();
    if (next === undefined) return;
    next(fate);
    await this.#untilIdle();
  }

  /** How its next calls end, whatever the step says. */
  expose(weather: Weather): void {
    this.#weather = { ...weather };
  }

  /** Called from inside: a call, which ends as the world says. */
  async call<Result>(writes: boolean, end: (fate: Fate) => Promise<Result>): Promise<Result> {
    this.#underWay += 1;
    try {
      return await end(await this.#fate(writes));
    } finally {
      this.#underWay -= 1;
      this.#idle?.();
    }
  }

  async #fate(writes: boolean): Promise<Fate> {
    const fate = await new Promise<Fate>((resolve) => {
      this.#waiting.push(resolve);
      this.#idle?.();
    });
    const weather = this.#weather;
    if (weather.calls === 0 || (weather.also === 'writes' && !writes)) return fate;
    weather.calls -= 1;
    return weather.fate;
  }

  async #untilIdle(): Promise<void> {
    const isIdle = () => this.#waiting.length > 0 && this.#waiting.length === this.#underWay;
    while (!isIdle() && this.answer === undefined) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#idle = undefined;
  }
}

export class World {
  readonly store: SharedStore;
  readonly name: string;
  readonly processes: Process[] = [];
  now = 1_700_000_000_000;
  readonly #late: (() => Promise<unknown>)[] = [];

  /** Of calls that a process makes at the same time; left out: every other process does. */
  readonly lastFirst: boolean | undefined;

  constructor(store: SharedStore, name: string, lastFirst?: boolean) {
    this.store = store;
    this.name = name;
    this.lastFirst = lastFirst;
  }

  get running(): readonly Process[] {
    return this.processes.filter(({ answer }) => answer === undefined);
  }

  /** @param skew by how many milliseconds the process' clock is wrong */
  async start(task: Task, skew = 0): Promise<Process> {
    const number = this.processes.length;
    const process = new Process(`${this.name}/${number}`, task, this.lastFirst ?? number % 2 === 1);
    this.processes.push(process);
    const accounts = createAccounts({
      log: this.#stepwise(process, this.store.log, ['append', 'read']),
      records: this.#stepwise(process, this.store.records, [
        'get',
        'compareAndSet',
        'increment',
        'batch',
      ]),
      clock: () => this.now + skew,
      random: process.random,
      claimTime: CLAIM_TIME,
      // Some read the logs, some go by the records, and all by what others have left there.
      rememberEvery: this.processes.length % 2 === 0 ? 1 : 200,
      sweepInterval: 0,
    });
    await process.run(accounts);
    return process;
  }

  /** Lets the oldest late step happen. */
  async land(): Promise<void> {
    await this.#late
      .shift()?.()
      .catch(() => {});
  }

  async landAll(): Promise<void> {
    while (this.#late.length > 0) await this.land();
  }

  /** Somebody who knows nothing of accounts writes to an account's log. */
  async disturb(id: string): Promise<void> {
    await this.store.log.append(accountLog(id), [{ type: 'Greeted', payload: 'hi' }]);
  }

  /** Accounts that nothing disturbs. */
  observer(): Accounts {
    let attempts = 0;
    return createAccounts({
      ...this.store,
      clock: () => this.now,
      random: () => {
        attempts += 1;
        return `${this.name}/observer/${attempts}/${Math.random()}`;
      },
      claimTime: CLAIM_TIME,
      sweepInterval: 0,
    });
  }

  #stepwise<Target extends object>(
    process: Process,
    target: Target,
    names: readonly (keyof Target & string)[],
  ): Target {
    return new Proxy(target, {
      get: (_, name) => {
        const method = Reflect.get(target, name) as (...values: unknown[]) => Promise<unknown>;
        if (!names.includes(name as keyof Target & string)) {
          throw new Error(`accounts use ${String(name)}, which this world does not know`);
        }
        const writes = name !== 'get' && name !== 'read';
        return (...values: unknown[]) =>
          process.call(writes, (fate) =>
            this.#end(fate, writes, () => method.apply(target, values)),
          );
      },
    });
  }

  async #end(fate: Fate, writes: boolean, call: () => Promise<unknown>): Promise<unknown> {
    if (fate === 'done') return call();
    if (fate === 'unavailable' || !writes) throw new Unavailable('says the world');
    if (fate === 'unanswered') await call().catch(() => {});
    if (fate === 'late') this.#late.push(call);
    throw new OutcomeUnknown('says the world');
  }
}

async function perform(accounts: Accounts, task: Task): Promise<Answer> {
  try {
    return { told: 'done', id: await tell(accounts, task) };
  } catch (error) {
    const { code } = error as MillraceError;
    if (code === undefined) throw error;
    return code === 'outcome_unknown' ? { told: 'unknown' } : { told: 'refused', code };
  }
}

async function tell(accounts: Accounts, task: Task): Promise<string | undefined> {
  switch (task.does) {
    case 'register':
      return (await accounts.register({ email: task.email })).id;
    case 'changeEmail':
      return (await accounts.changeEmail(task.id, task.email)).id;
    case 'close':
      return (await accounts.close(task.id)).id;
    case 'findByEmail':
      return (await accounts.findByEmail(task.email))?.id;
    case 'sweep':
      await accounts.sweep();
      return undefined;
  }
}
