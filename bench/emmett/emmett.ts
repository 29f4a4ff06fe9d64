/** What is used of Emmett, whose own types are not installed with ours. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** `bench/emmett/`, seen from the compiled file. */
export const EMMETT_FOLDER = fileURLToPath(new URL('../../../emmett/', import.meta.url));

export interface EmmettEvent {
  readonly type: string;
  readonly data: { readonly amount: number };
}
export interface RecordedEmmettEvent extends EmmettEvent {
  readonly metadata: { readonly streamName: string; readonly globalPosition: bigint };
}
/** An event store: it opens and closes a connection to SQLite for each call. */
export interface EmmettStore {
  appendToStream(stream: string, events: readonly EmmettEvent[]): Promise<unknown>;
  consumer(options: { pulling: { batchSize: number; pullingFrequencyInMs: number } }): {
    processor(options: {
      projection: EmmettProjection;
      stopAfter?: (event: RecordedEmmettEvent) => boolean;
    }): unknown;
    start(): Promise<void>;
    close(): Promise<void>;
  };
}
export interface EmmettConnection {
  command(sql: string, values?: readonly unknown[]): Promise<unknown>;
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  close(): void;
}
interface EmmettProjection {
  readonly name: string;
  readonly canHandle: readonly string[];
  handle(
    events: readonly RecordedEmmettEvent[],
    context: { readonly connection: EmmettConnection },
  ): Promise<void>;
}
interface Decider<State, Command> {
  decide(command: Command, state: State): EmmettEvent;
  evolve(state: State, event: EmmettEvent): State;
  initialState(): State;
}

interface Core {
  DeciderCommandHandler<State, Command>(
    decider: Decider<State, Command>,
  ): (store: EmmettStore, stream: string, command: Command) => Promise<unknown>;
}
interface SQLite {
  getSQLiteEventStore(options: {
    fileName: string;
    schema?: { autoMigration: 'None' | 'CreateOrUpdate' };
  }): EmmettStore;
  sqliteConnection(options: { fileName: string }): EmmettConnection;
  createEventStoreSchema(connection: EmmettConnection): Promise<void>;
  appendToStream(
    connection: EmmettConnection,
    stream: string,
    streamType: string,
    events: readonly EmmettEvent[],
    options: { expectedStreamVersion: bigint | 'STREAM_DOES_NOT_EXIST' },
  ): Promise<{ success: boolean }>;
  readStream(
    connection: EmmettConnection,
    stream: string,
  ): Promise<{
    currentStreamVersion: bigint;
    streamExists: boolean;
    events: RecordedEmmettEvent[];
  }>;
  readMessagesBatch(
    connection: EmmettConnection,
    options: { after: bigint; batchSize: number },
  ): Promise<{
    currentGlobalPosition: bigint;
    areEventsLeft: boolean;
    messages: RecordedEmmettEvent[];
  }>;
}

export function loadEmmett(): Core & SQLite {
  const require = createRequire(`${EMMETT_FOLDER}package.json`);
  const core = require('@event-driven-io/emmett') as Core;
  return { ...core, ...(require('@event-driven-io/emmett-sqlite') as SQLite) };
}

/** As SQLite names them: what is flushed, and when. */
export async function emmettDurability(fileName: string): Promise<string> {
  const connection = loadEmmett().sqliteConnection({ fileName });
  const [journal] = await connection.query<{ journal_mode: string }>('PRAGMA journal_mode');
  const [level] = await connection.query<{ synchronous: number }>('PRAGMA synchronous');
  connection.close();
  const name = ['OFF', 'NORMAL', 'FULL', 'EXTRA'][level?.synchronous ?? -1] ?? 'unknown';
  return `journal ${journal?.journal_mode.toUpperCase()}, synchronous ${name}`;
}
