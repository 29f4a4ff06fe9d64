/** What the contract suite asks of a store of work queues, beside the contract itself. */
import { randomBytes } from 'node:crypto';
import type { EventId } from '../../../event/event-id.ts';
import { type LogName, parseLogName } from '../../../event/log-name.ts';
import type { EventLog } from '../../../log/log.ts';
import type { LeasedLog, WorkConsumer, WorkQueues } from '../../../work-queues/work-queues.ts';
import { eventually } from '../eventually.ts';
import type { Runner } from '../suite.ts';

/** A log and its work queues. */
export interface OpenQueues {
  readonly log: EventLog;
  readonly queues: WorkQueues;
  close(): Promise<void>;
}

/** One store with its data, made for one test. */
export interface WorkQueuesUnderTest {
  open(): Promise<OpenQueues>;
  /** Lets this much time go by: sets a clock on, or waits. */
  pass(milliseconds: number): Promise<void>;
  dispose(): Promise<void>;
}

export interface WorkQueuesKind {
  readonly name: string;
  /** Whether the data outlives the object; if not, why. */
  readonly lasting: true | string;
  setup(): Promise<WorkQueuesUnderTest>;
}

/** What a test works with. */
export interface Context extends OpenQueues {
  readonly group: string;
  /** A category that nothing else uses, and logs of it. */
  readonly category: string;
  newLog(): LogName;
  /** Appends one event to each. */
  grow(...logs: LogName[]): Promise<EventId[]>;
  pass(milliseconds: number): Promise<void>;
  /** Closes the store and opens it anew. */
  reopen(): Promise<OpenQueues>;
}

export class WorkQueuesSuite {
  readonly #runner: Runner;
  readonly #kind: WorkQueuesKind;

  constructor(runner: Runner, kind: WorkQueuesKind) {
    this.#runner = runner;
    this.#kind = kind;
  }

  topic(name: string, body: () => void): void {
    this.#runner.describe(name, body);
  }

  it(name: string, body: (context: Context) => Promise<void>): void {
    this.#runner.it(name, () => this.#run(body));
  }

  /** For stores whose data outlives them. */
  lasting(name: string, body: (context: Context) => Promise<void>): void {
    const { lasting } = this.#kind;
    if (lasting === true) this.it(name, body);
    else this.#runner.skip(name, lasting);
  }

  async #run(body: (context: Context) => Promise<void>): Promise<void> {
    const store = await this.#kind.setup();
    const opened: OpenQueues[] = [];
    const open = async () => {
      const queues = await store.open();
      opened.push(queues);
      return queues;
    };
    const first = await open();
    const category = randomBytes(6).toString('hex');
    let lastLog = 0;
    try {
      await body({
        ...first,
        category,
        group: `group-${category}`,
        newLog: () => parseLogName(`${category}:${++lastLog}`),
        grow: (...logs) => Promise.all(logs.map((log) => grow(first.log, log))),
        pass: (milliseconds) => store.pass(milliseconds),
        reopen: async () => {
          await first.close();
          return open();
        },
      });
    } finally {
      await Promise.all(opened.map((queues) => queues.close()));
      await store.dispose();
    }
  }
}

export async function grow(log: EventLog, name: LogName): Promise<EventId> {
  const { version } = await log.append(name, [{ type: 'Grown', payload: '' }]);
  return version;
}

/** Looks until there is nothing more to be seen. */
export async function lookAll(consumer: WorkConsumer): Promise<void> {
  while (await consumer.look()) {
    // There is more.
  }
}

/** Looks and takes until it gets as many logs. */
export async function takeAll(consumer: WorkConsumer, count: number): Promise<LeasedLog[]> {
  const taken: LeasedLog[] = [];
  await eventually(async () => {
    await lookAll(consumer);
    taken.push(...(await consumer.take(count - taken.length, 0)));
    return taken.length >= count;
  });
  return taken;
}

/** Looks, and takes whatever there is now. */
export async function takeNow(consumer: WorkConsumer): Promise<readonly LeasedLog[]> {
  await lookAll(consumer);
  return consumer.take(100, 0);
}
