/** What the contract suite asks of a store of read models, beside the contract itself. */
import type { ReadModel } from '../../../read-models/read-models.ts';
import type { LossyRecords } from '../records/records-under-test.ts';
import type { Runner } from '../suite.ts';

/** As the suite works with it: what closes it belongs to who opened it. */
export type OpenReadModel = ReadModel & { close(): Promise<void> };

/** One store with its data, made for one test. */
export interface ReadModelUnderTest {
  /** Opens the data; again after a close, and several at the same time if it is `shared`. */
  open(): Promise<OpenReadModel>;
  /** Removes it all. Everything that was opened has been closed. */
  dispose(): Promise<void>;
  readonly capabilities: Partial<Capabilities>;
}

export interface Capabilities {
  /** The data outlives the object that keeps it. */
  readonly lasting: true;
  /** Several can be open on the same data. */
  readonly shared: true;
  /** Calls after the end fail with `closed`, and what is under way comes to its end. */
  readonly closing: true;
  /** Refuses commits that are too large for one step. */
  readonly bounded: true;
  /** Puts something that is no table where the rows, or the checkpoint, of a table belong. */
  readonly occupy: (table: string, part: 'rows' | 'checkpoint') => Promise<void>;
  readonly lossy: Omit<LossyRecords, 'open'> & { open(): Promise<OpenReadModel> };
}

export type Capability = keyof Capabilities;

export interface ReadModelKind {
  readonly name: string;
  /** The capabilities that it has not, each with the reason. All others it has. */
  readonly lacks: Partial<Record<Capability, string>>;
  setup(): Promise<ReadModelUnderTest>;
}

/** What a test works with. */
export interface Context {
  /** Opens the store; closed after the test. */
  open(): Promise<OpenReadModel>;
  /** A table that nothing else uses. */
  newTable(): string;
}

export class ReadModelSuite {
  readonly #runner: Runner;
  readonly #kind: ReadModelKind;
  #lastTable = 0;

  constructor(runner: Runner, kind: ReadModelKind) {
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
    const opened: OpenReadModel[] = [];
    const keep = async (opening: Promise<OpenReadModel>): Promise<OpenReadModel> => {
      const readModel = await opening;
      opened.push(readModel);
      return readModel;
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
      newTable: () => this.#newTable(),
    } as Context & Pick<Capabilities, Needed>;
    try {
      await body(context);
    } finally {
      await Promise.all(opened.map((readModel) => readModel.close()));
      await store.dispose();
    }
  }

  #newTable(): string {
    this.#lastTable += 1;
    return `test.${process.pid}.${this.#lastTable}@1`;
  }
}
