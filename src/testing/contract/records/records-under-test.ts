/** What the contract suite asks of a store of records, beside the contract itself. */
import type { Records } from '../../../records/records.ts';
import type { Runner } from '../suite.ts';

/** Milliseconds since 1970, as a test wants them. */
export class TestClock {
  now = 1_700_000_000_000;

  readonly read = (): number => this.now;
}

/** One store with its data, made for one test. */
export interface RecordsUnderTest {
  /** Opens the data; again after a close, and several at the same time if it is `shared`. */
  open(): Promise<Records>;
  /** Lets this much time go by: sets a clock on, or waits. */
  pass(milliseconds: number): Promise<void>;
  /** Removes it all. Everything that was opened has been closed. */
  dispose(): Promise<void>;
  readonly capabilities: Partial<Capabilities>;
}

export interface Capabilities {
  /** The data outlives the object that keeps it. */
  readonly lasting: true;
  /** Several can be open on the same data. */
  readonly shared: true;
  /** Puts something that is no string under the key. */
  readonly occupy: (key: string) => Promise<void>;
  /** How many records are kept, with those whose time is over and that were not yet removed. */
  readonly kept: (records: Records) => number;
  readonly lossy: LossyRecords;
}

/** A store at the other end of a connection that can be disturbed. */
export interface LossyRecords {
  open(): Promise<Records>;
  /** From now on requests arrive and replies do not. */
  swallowReplies(): void;
  hasSwallowed(): boolean;
  /** Breaks the connection; a new one can be made after {@link heal}. */
  cut(): void;
  /** From now on there is no connection to be had. */
  refuse(): void;
  heal(): void;
}

export type Capability = keyof Capabilities;

export interface RecordsKind {
  readonly name: string;
  /** The capabilities that it has not, each with the reason. All others it has. */
  readonly lacks: Partial<Record<Capability, string>>;
  setup(): Promise<RecordsUnderTest>;
}

/** What a test works with. */
export interface Context {
  /** Opens the store; closed after the test. */
  open(): Promise<Records>;
  pass(milliseconds: number): Promise<void>;
  /** A key that nothing else uses. */
  newKey(): string;
}

export class RecordsSuite {
  readonly #runner: Runner;
  readonly #kind: RecordsKind;
  #lastKey = 0;

  constructor(runner: Runner, kind: RecordsKind) {
    this.#runner = runner;
    this.#kind = kind;
  }

  topic(name: string, body: () => void): void {
    this.#runner.describe(name, body);
  }

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
    const opened: Records[] = [];
    const keep = async (opening: Promise<Records>): Promise<Records> => {
      const records = await opening;
      opened.push(records);
      return records;
    };
    const { capabilities } = store;
    for (const capability of needed) {
      if (capabilities[capability] === undefined) {
        throw new Error(`${this.#kind.name} neither has nor lacks the capability ${capability}`);
      }
    }
    const { lossy } = capabilities;
    const context = {
      ...capabilities,
      ...(lossy && { lossy: { ...lossy, open: () => keep(lossy.open()) } }),
      open: () => keep(store.open()),
      pass: (milliseconds) => store.pass(milliseconds),
      newKey: () => this.#newKey(),
    } as Context & Pick<Capabilities, Needed>;
    try {
      await body(context);
    } finally {
      await Promise.all(opened.map((records) => records.close()));
      await store.dispose();
    }
  }

  #newKey(): string {
    this.#lastKey += 1;
    return `test:${process.pid}:${this.#lastKey}`;
  }
}
