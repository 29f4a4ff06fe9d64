/** How the topics of the contract suite declare their tests, whatever the test runner and the store. */
import { randomBytes } from 'node:crypto';
import { type LogName, parseLogName } from '../../event/log-name.ts';
import type { EventLog } from '../../log/log.ts';
import type { Capabilities, Capability, OpenOptions, StoreKind } from './log/log-under-test.ts';

/** What the suite uses of a test runner. */
export interface Runner {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>): void;
  /** Reports a test that is not run. */
  skip(name: string, reason: string): void;
}

/** What a test works with. */
export interface Context {
  /** Opens the store; closed after the test, if the test has not done that. */
  open(options?: OpenOptions): Promise<EventLog>;
  /** A log that nothing else uses. */
  readonly log: LogName;
  /** Another one. */
  newLog(): LogName;
}

export class Suite {
  readonly #runner: Runner;
  readonly #kind: StoreKind;

  constructor(runner: Runner, kind: StoreKind) {
    this.#runner = runner;
    this.#kind = kind;
  }

  topic(name: string, body: () => void): void {
    this.#runner.describe(name, body);
  }

  /** A test for every store. */
  it(name: string, body: (context: Context) => Promise<void>): void {
    this.with([], name, body);
  }

  /** A test for stores that can do more than the contract says. */
  with<Needed extends Capability>(
    needed: readonly Needed[],
    name: string,
    body: (context: Context & Pick<Capabilities, Needed>) => Promise<void>,
  ): void {
    const reasons = needed.flatMap((capability) => {
      const reason = this.#kind.lacks[capability];
      return reason === undefined ? [] : [`${capability}: ${reason}`];
    });
    if (reasons.length > 0) this.#runner.skip(name, reasons.join('; '));
    else this.#runner.it(name, () => this.#run(needed, body));
  }

  async #run<Needed extends Capability>(
    needed: readonly Needed[],
    body: (context: Context & Pick<Capabilities, Needed>) => Promise<void>,
  ): Promise<void> {
    const store = await this.#kind.setup();
    const opened: EventLog[] = [];
    const keep = async (opening: Promise<EventLog>): Promise<EventLog> => {
      const eventLog = await opening;
      opened.push(eventLog);
      return eventLog;
    };
    const capabilities: Partial<Capabilities> = { ...store.capabilities };
    for (const capability of needed) {
      if (capabilities[capability] === undefined) {
        throw new Error(`${this.#kind.name} neither has nor lacks the capability ${capability}`);
      }
    }
    const { lossy } = capabilities;
    const context = {
      ...capabilities,
      ...(lossy && { lossy: { ...lossy, open: (options) => keep(lossy.open(options)) } }),
      open: (options) => keep(store.open(options)),
      log: newLog(),
      newLog,
    } as Context & Pick<Capabilities, Needed>;
    try {
      await body(context);
    } finally {
      await Promise.all(opened.map((eventLog) => eventLog.close()));
      await store.dispose();
    }
  }
}

function newLog(): LogName {
  return parseLogName(`contract:${randomBytes(9).toString('hex')}`);
}
