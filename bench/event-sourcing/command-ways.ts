/** The ways to handle commands that are compared. All store the same event, decided in the same way. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  emmettConnection,
  emmettQueued,
  emmettStore,
  emmettStoreForEach,
} from '../emmett/emmett-commands.ts';
import { loadMillrace } from '../library.ts';
import { type Account, type Deposit, deposited, INITIAL } from './bank.ts';
import type { CommandWay, OpenCommandWay } from './command-way.ts';

const DISK_BLOCK = Buffer.alloc(4_096);

export const COMMAND_WAYS = {
  /** `handle`: each command loads the log by itself. */
  'millrace handle': async (target) => {
    const { account, millrace, store } = await openOurs(target);
    return ours(store, (command) => millrace.handle(store.log, account, command));
  },
  /** `commandHandler`: the states of the logs in memory, appends that wait together written as one. */
  'millrace commandHandler': async (target) => {
    const { account, millrace, store } = await openOurs(target);
    const handler = millrace.commandHandler(store.log, account);
    return ours(store, (command) => handler.handle(command));
  },
  'emmett, one store': emmettStore,
  'emmett, a store for each caller': emmettStoreForEach,
  'emmett, one store, callers queued': emmettQueued,
  'emmett, one open connection, queued': emmettConnection,
  /** No store at all: what the disk allows to those that flush for each command. */
  'disk: 4 KiB written and flushed': async (folder) => {
    const file = openSync(join(folder, 'blocks'), 'w');
    return {
      durability: 'flushed',
      handle: async () => {
        writeSync(file, DISK_BLOCK);
        fdatasyncSync(file);
      },
      close: async () => closeSync(file),
    };
  },
} satisfies Record<string, OpenCommandWay>;

export type CommandWayName = keyof typeof COMMAND_WAYS;

type Store = Awaited<ReturnType<typeof openOurs>>['store'];

async function openOurs(target: string) {
  const millrace = await loadMillrace();
  const bank = millrace.defineEvents({ Deposited: millrace.type<{ amount: number }>() });
  const account = millrace.decider({
    name: 'account',
    events: bank,
    log: (command: Deposit) => command.account,
    initial: INITIAL,
    decide: (command: Deposit, _state: Account) => {
      return bank.create('Deposited', { amount: command.amount });
    },
    evolve: (state: Account, event) => deposited(state, event.payload),
  });
  return { millrace, account, store: await millrace.openStore(target) };
}

async function ours(
  store: Store,
  handle: (command: Deposit) => Promise<unknown>,
): Promise<CommandWay> {
  return {
    durability: (await store.log.describe()).durability,
    handle: (_caller, command) => handle(command),
    close: () => store.close(),
  };
}
