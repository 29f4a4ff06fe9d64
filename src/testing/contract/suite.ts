/**
 * How a contract is written as tests, and how a store is put to them. The tests are data: whatever
 * test runner there is, it is told of each by one call.
 */

/** One test of a contract, for one kind of store. */
export interface ContractCase {
  /** What it is about. Cases of one topic follow each other. */
  readonly topic: string;
  /** What is promised there. */
  readonly name: string;
  /** What the store must be able to do beyond the contract. */
  readonly needs: readonly string[];
  /** What of that the store lacks, with the reasons; `undefined` for a case that can be run. */
  readonly skip: string | undefined;
  /** Opens a store for itself, and rejects when it breaks its promise. */
  run(): Promise<void>;
}

/** A kind of store, to be put to the tests of a contract. */
export interface StoreKind<Store extends StoreUnderTest<Capabilities>, Capabilities> {
  readonly name: string;
  /** The capabilities that it has not, each with the reason. All others it has. */
  readonly lacks: Partial<Record<keyof Capabilities, string>>;
  /** A fresh store, or a corner of one that no other test uses. */
  setup(): Promise<Store>;
}

/** One store with its data, made for one test. */
export interface StoreUnderTest<Capabilities> {
  readonly capabilities: Partial<Capabilities>;
  /** Removes it all. Everything that was opened has been closed. */
  dispose(): Promise<void>;
}

/** A store at the other end of a connection that can be disturbed. */
export interface LossyConnection<Opened, Options extends unknown[] = []> {
  /** Opens the data through that connection. */
  open(...options: Options): Promise<Opened>;
  /** From now on requests arrive and replies do not. */
  swallowReplies(): void;
  /** Whether a reply has been swallowed, so that a request has been served. */
  hasSwallowed(): boolean;
  /** Breaks the connection; a new one can be made, unless it is refused. */
  cut(): void;
  /** From now on there is no connection to be had. */
  refuse(): void;
  heal(): void;
}

/** A contract, as what its tests are written for. */
export interface Contract<Store extends StoreUnderTest<Capabilities>, Context, Capabilities> {
  readonly topics: readonly ((suite: Suite<Context, Capabilities>) => void)[];
  /**
   * What each test works with, beside the capabilities.
   * @param keep has what was opened closed after the test, if the test has not done that
   */
  context(store: Store, keep: Keep): Context | Promise<Context>;
}

export type Keep = <Opened extends Closable>(opening: Promise<Opened>) => Promise<Opened>;

interface Closable {
  close(): Promise<void>;
}

/** All tests of a contract, for a kind of store. */
export function contractCases<Store extends StoreUnderTest<Capabilities>, Context, Capabilities>(
  contract: Contract<Store, Context, Capabilities>,
  kind: StoreKind<Store, Capabilities>,
): ContractCase[] {
  const cases: ContractCase[] = [];
  const suite = new Suite<Context, Capabilities>((topic, name, needs, body) => {
    const reasons = needs.flatMap((capability) => {
      const reason = kind.lacks[capability];
      return reason === undefined ? [] : [`${String(capability)}: ${reason}`];
    });
    cases.push({
      topic,
      name,
      needs: needs.map(String),
      skip: reasons.length === 0 ? undefined : reasons.join('; '),
      run: () => run(contract, kind, needs, body),
    });
  });
  for (const declare of contract.topics) declare(suite);
  return cases;
}

/** What the topics of a contract declare their tests on. */
export class Suite<Context, Capabilities> {
  readonly #declare: Declare<Context, Capabilities>;
  #topic = '';

  constructor(declare: Declare<Context, Capabilities>) {
    this.#declare = declare;
  }

  topic(name: string, body: () => void): void {
    this.#topic = name;
    body();
  }

  /** A test for every store. */
  it(name: string, body: (context: Context) => Promise<void>): void {
    this.with([], name, body);
  }

  /** A test for stores that can do more than the contract says. */
  with<Needed extends keyof Capabilities>(
    needs: readonly Needed[],
    name: string,
    body: (context: Context & Pick<Capabilities, Needed>) => Promise<void>,
  ): void {
    this.#declare(this.#topic, name, needs, body as Body<Context, Capabilities>);
  }
}

/** Is given the capabilities that its test needs. */
type Body<Context, Capabilities> = (context: Context & Partial<Capabilities>) => Promise<void>;

type Declare<Context, Capabilities> = (
  topic: string,
  name: string,
  needs: readonly (keyof Capabilities)[],
  body: Body<Context, Capabilities>,
) => void;

async function run<Store extends StoreUnderTest<Capabilities>, Context, Capabilities>(
  contract: Contract<Store, Context, Capabilities>,
  kind: StoreKind<Store, Capabilities>,
  needs: readonly (keyof Capabilities)[],
  body: Body<Context, Capabilities>,
): Promise<void> {
  const store = await kind.setup();
  const opened: Closable[] = [];
  const keep: Keep = async (opening) => {
    const open = await opening;
    opened.push(open);
    return open;
  };
  try {
    const { capabilities } = store;
    for (const capability of needs) {
      if (capabilities[capability] === undefined) {
        const name = String(capability);
        throw new Error(`${kind.name} neither has nor lacks the capability ${name}`);
      }
    }
    const context = await contract.context(store, keep);
    await body({ ...capabilities, ...keptLossy(capabilities, keep), ...context });
  } finally {
    await Promise.all(opened.map((open) => open.close()));
    await store.dispose();
  }
}

/** What is opened through a connection that can be disturbed is closed after the test too. */
function keptLossy(
  { lossy }: { readonly lossy?: LossyConnection<Closable, unknown[]> },
  keep: Keep,
): { readonly lossy?: LossyConnection<Closable, unknown[]> } {
  return lossy ? { lossy: { ...lossy, open: (...options) => keep(lossy.open(...options)) } } : {};
}
