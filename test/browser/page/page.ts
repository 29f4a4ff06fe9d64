/**
 * The script of the tests' page: one client of one log, and a record of all that it was told. Tests
 * call what lies in `globalThis.device`.
 */
import {
  type Client,
  type ConnectionState,
  connect,
  Refused,
  type Sending,
} from '../../../src/client/client.ts';
import { indexedDb } from '../../../src/client/indexeddb/indexeddb.ts';

export interface OpenOptions {
  readonly account?: string;
  /** Default: the account's own. */
  readonly log?: string;
  /** Whether it is kept over a reload, and shared with other tabs. */
  readonly isKept?: boolean;
  /** Tokens are what the test's `freshToken` answers. */
  readonly hasToken?: boolean;
  /** A gateway of another origin. */
  readonly url?: string;
}

export interface Report {
  readonly state: ConnectionState;
  /** Every status that it went through, in order. */
  readonly statuses: readonly string[];
  /** The texts of all events that came, in order. */
  readonly seen: readonly string[];
  readonly ids: readonly string[];
  /** What was appended in this tab since it was loaded, by what became of it. */
  readonly settled: readonly string[];
  readonly refused: readonly string[];
  /** How many entries the outbox holds. */
  readonly pending: number;
  /** How the iteration of the log ended, if it did. */
  readonly ended: string | undefined;
}

export interface PageDevice {
  open(options: OpenOptions): void;
  /** Resolves when it is kept, long before it is in the log. */
  append(text: string): Promise<void>;
  /** Appends one after the other, each when the last is settled, for as long as the page lives. */
  keepAppending(prefix: string): void;
  report(): Report;
  close(): Promise<void>;
}

let client: Client;
let logName: string | undefined;
const statuses: string[] = [];
const seen: string[] = [];
const ids: string[] = [];
const settled: string[] = [];
const refused: string[] = [];
let ended: string | undefined;

function open(options: OpenOptions): void {
  const { account, hasToken = false, isKept = false, url = '/' } = options;
  logName = options.log ?? `account:${account}`;
  client = connect(url, {
    account,
    ...(hasToken && { token: () => (globalThis as unknown as Test).freshToken() }),
    ...(isKept && { persist: indexedDb() }),
  });
  const keep = () => statuses.push(client.connection.get().status);
  keep();
  client.connection.subscribe(keep);
  void follow();
}

interface Test {
  freshToken(): Promise<string>;
}

async function follow(): Promise<void> {
  try {
    for await (const event of client.log(logName).events()) {
      ids.push(event.id);
      seen.push((event.payload as { readonly text: string }).text);
    }
    ended = 'at its end';
  } catch (error) {
    ended = String(error);
  }
}

function send(text: string): Sending {
  const sending = client.log(logName).append({ type: 'Said', payload: { text } });
  sending.then(
    () => settled.push(text),
    (error) => refused.push(`${text}: ${error instanceof Refused ? error.code : error}`),
  );
  return sending;
}

async function keepAppending(prefix: string): Promise<void> {
  // Without a timer: those of a tab that is hidden hardly come.
  for (let count = 0; ; count += 1) await send(`${prefix}${count}`);
}

function report(): Report {
  return {
    ...{ statuses, seen, ids, settled, refused, ended },
    state: client.connection.get(),
    pending: client.outbox.entries.get().length,
  };
}

const device: PageDevice = {
  ...{ open, keepAppending, report },
  append: (text) => send(text).kept,
  close: () => client.close(),
};
Object.assign(globalThis, { device });
