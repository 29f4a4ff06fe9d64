/**
 * The commands of the benchmark, handled by Emmett with its SQLite store.
 *
 * Its store opens a connection for each call and closes it after it, also under another call that
 * still uses it: one store cannot have two calls in flight. So there is a way with a store for each
 * caller, one in which callers wait for each other, and one that goes round the store.
 */
import { join } from 'node:path';
import { type Account, type Deposit, deposited, INITIAL } from '../event-sourcing/bank.ts';
import type { CommandWay } from '../event-sourcing/command-way.ts';
import { type EmmettEvent, type EmmettStore, emmettDurability, loadEmmett } from './emmett.ts';

const evolve = (state: Account, event: EmmettEvent): Account => deposited(state, event.data);
const decide = (command: Deposit, _state: Account): EmmettEvent => {
  return { type: 'Deposited', data: { amount: command.amount } };
};

/** `DeciderCommandHandler` on one store. */
export async function emmettStore(folder: string): Promise<CommandWay> {
  const store = await openStore(folder);
  const handle = commands();
  return {
    durability: await emmettDurability(fileIn(folder)),
    handle: (_caller, command) => handle(store, command.account, command),
    close: async () => {},
  };
}

/** `DeciderCommandHandler` with a store, so a connection, for each caller. */
export async function emmettStoreForEach(folder: string): Promise<CommandWay> {
  const first = await openStore(folder);
  const stores = new Map<number, EmmettStore>([[0, first]]);
  const handle = commands();
  const storeOf = (caller: number): EmmettStore => {
    const found = stores.get(caller);
    if (found !== undefined) return found;
    const store = loadEmmett().getSQLiteEventStore({
      fileName: fileIn(folder),
      schema: { autoMigration: 'None' },
    });
    stores.set(caller, store);
    return store;
  };
  return {
    durability: await emmettDurability(fileIn(folder)),
    handle: (caller, command) => handle(storeOf(caller), command.account, command),
    close: async () => {},
  };
}

/** `DeciderCommandHandler` on one store, behind a queue that the application has to bring. */
export async function emmettQueued(folder: string): Promise<CommandWay> {
  const way = await emmettStore(folder);
  return { ...way, handle: oneAtATime(way.handle) };
}

/**
 * `readStream` and `appendToStream`, which Emmett also exports, on a connection that stays open:
 * the fastest that can be had from it, without its command handler; also behind a queue.
 */
export async function emmettConnection(folder: string): Promise<CommandWay> {
  const { appendToStream, readStream, sqliteConnection } = loadEmmett();
  await openStore(folder);
  const connection = sqliteConnection({ fileName: fileIn(folder) });
  const handle: CommandWay['handle'] = async (_caller, command) => {
    const stream = await readStream(connection, command.account);
    const state = stream.events.reduce(evolve, INITIAL);
    const { success } = await appendToStream(
      connection,
      command.account,
      'account',
      [decide(command, state)],
      {
        expectedStreamVersion: stream.streamExists
          ? stream.currentStreamVersion
          : 'STREAM_DOES_NOT_EXIST',
      },
    );
    if (!success) throw new Error('version conflict');
  };
  return {
    durability: await emmettDurability(fileIn(folder)),
    handle: oneAtATime(handle),
    close: async () => connection.close(),
  };
}

function commands() {
  return loadEmmett().DeciderCommandHandler<Account, Deposit>({
    decide,
    evolve,
    initialState: () => INITIAL,
  });
}

/** A store whose tables are there. */
async function openStore(folder: string): Promise<EmmettStore> {
  const { createEventStoreSchema, getSQLiteEventStore, sqliteConnection } = loadEmmett();
  const connection = sqliteConnection({ fileName: fileIn(folder) });
  await createEventStoreSchema(connection);
  connection.close();
  return getSQLiteEventStore({ fileName: fileIn(folder), schema: { autoMigration: 'None' } });
}

function fileIn(folder: string): string {
  return join(folder, 'emmett.db');
}

function oneAtATime(handle: CommandWay['handle']): CommandWay['handle'] {
  let last: Promise<unknown> = Promise.resolve();
  return (caller, command) => {
    const next = last.then(() => handle(caller, command));
    last = next.catch(() => {});
    return next;
  };
}
