/**
 * A bank: accounts, transfers between two of them, and a table of balances.
 *
 *   command ─► decider ─► event in a log ─┬─► the process manager sends the next command
 *                                         └─► the projection counts it in the balances
 *
 * A transfer touches two logs, and no store changes two logs in one step. So a transfer is a log of
 * its own, and goes on from event to event: requested → withdrawn → deposited → completed, or
 * refused. Each step takes effect once, whatever is killed in between: money that has left one
 * account arrives on the other.
 *
 *   npm run example bank deposit ada 100
 *   npm run example bank transfer ada bob 30
 *   npm run example bank balances
 */
import { randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import {
  decider,
  defineEvents,
  defineProjection,
  type EventLog,
  handle,
  openStore,
  processManager,
  project,
  type Store,
  typedLog,
} from 'millrace';
import { z } from 'zod';

const amount = z.int().positive();
const transferDetails = z.object({ id: z.string(), from: z.string(), to: z.string(), amount });
type Transfer = z.infer<typeof transferDetails>;

export const events = defineEvents({
  Deposited: z.object({ amount, transfer: transferDetails.optional() }),
  Withdrawn: z.object({ amount, transfer: transferDetails.optional() }),
  WithdrawalRefused: z.object({ transfer: transferDetails, reason: z.string() }),
  TransferRequested: transferDetails,
  TransferCompleted: z.object({}),
  TransferRefused: z.object({ reason: z.string() }),
});

// Beside a gateway, accounts may append to their own logs: what they say there is no money.
const writers = 'application';

interface AccountCommand {
  readonly command: 'deposit' | 'withdraw';
  readonly account: string;
  readonly amount: number;
  /** The transfer that this is a step of. */
  readonly transfer?: Transfer;
}

export const account = decider({
  name: 'account',
  events,
  writers,
  log: ({ account }: AccountCommand) => `account:${account}`,
  initial: { balance: 0 },
  decide({ command, amount, transfer }: AccountCommand, { balance }) {
    if (command === 'deposit') return events.create('Deposited', { amount, transfer });
    if (amount <= balance) return events.create('Withdrawn', { amount, transfer });
    const reason = `there is only ${balance}`;
    // A person is told at once. A transfer has to learn of it, so its refusal is an event.
    if (transfer === undefined) throw new Error(reason);
    return events.create('WithdrawalRefused', { transfer, reason });
  },
  evolve({ balance }, { type, payload }) {
    if (type === 'Deposited') return { balance: balance + payload.amount };
    if (type === 'Withdrawn') return { balance: balance - payload.amount };
    return { balance };
  },
});

type TransferCommand =
  | { readonly command: 'request'; readonly id: string; readonly transfer: Transfer }
  | { readonly command: 'complete'; readonly id: string }
  | { readonly command: 'refuse'; readonly id: string; readonly reason: string };

export const transfers = decider({
  name: 'transfer',
  events,
  writers,
  log: ({ id }: TransferCommand) => `transfer:${id}`,
  initial: { status: 'new' },
  decide(command: TransferCommand, { status }) {
    if (command.command === 'request') {
      return status === 'new' ? events.create('TransferRequested', command.transfer) : [];
    }
    if (status !== 'requested') return [];
    if (command.command === 'complete') return events.create('TransferCompleted', {});
    return events.create('TransferRefused', { reason: command.reason });
  },
  evolve({ status }, { type }) {
    if (type === 'TransferRequested') return { status: 'requested' };
    if (type === 'TransferCompleted') return { status: 'completed' };
    if (type === 'TransferRefused') return { status: 'refused' };
    return { status };
  },
});

/** Asks for a transfer; the process manager carries it out. */
export function requestTransfer(log: EventLog, transfer: Transfer) {
  return handle(log, transfers, { command: 'request', id: transfer.id, transfer });
}

/** What follows on what. */
export function runTransfers(store: Store, options: { readonly leaseTime?: number } = {}) {
  return processManager(store, {
    name: 'transfers',
    events,
    writers,
    ...options,
    on: {
      async TransferRequested({ payload: transfer }, send) {
        const { from, amount } = transfer;
        await send(account, { command: 'withdraw', account: from, amount, transfer });
      },
      async Withdrawn({ payload: { transfer } }, send) {
        if (transfer === undefined) return;
        const { to, amount } = transfer;
        await send(account, { command: 'deposit', account: to, amount, transfer });
      },
      async Deposited({ payload: { transfer } }, send) {
        if (transfer !== undefined) await send(transfers, { command: 'complete', id: transfer.id });
      },
      async WithdrawalRefused({ payload: { transfer, reason } }, send) {
        await send(transfers, { command: 'refuse', id: transfer.id, reason });
      },
    },
  });
}

/** Every account's balance, a row an account. */
export const balances = defineProjection({
  name: 'balances',
  events,
  writers,
  category: 'account',
  initial: () => ({ balance: 0 }),
  on: {
    Deposited: ({ balance }, { payload }) => ({ balance: balance + payload.amount }),
    Withdrawn: ({ balance }, { payload }) => ({ balance: balance - payload.amount }),
  },
});

const USAGE = `deposit NAME AMOUNT, withdraw NAME AMOUNT, transfer FROM TO AMOUNT, or balances
(--store FOLDER or redis://…; default ./bank-data)`;

/** Carries out what the command line says, with all that follows, and prints the balances. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { store: { type: 'string', default: './bank-data' } },
    allowPositionals: true,
    strict: false, // `deposit ada -1` is to get our answer
  });
  const [command = '', from = '', to = ''] = positionals;
  const sum = Number(positionals.at(-1));
  const [words, id] = [positionals.length, randomUUID()];
  const isKnown =
    (command === 'balances' && words === 1) ||
    (['deposit', 'withdraw'].includes(command) && words === 3 && amount.safeParse(sum).success) ||
    (command === 'transfer' && words === 4 && amount.safeParse(sum).success);
  if (!isKnown) return fail(USAGE);

  const store = await openStore(String(values.store));
  const manager = await runTransfers(store);
  const table = project(store, balances);
  try {
    if (command === 'deposit' || command === 'withdraw') {
      await handle(store.log, account, { command, account: from, amount: sum });
    } else if (command === 'transfer') {
      await requestTransfer(store.log, { id, from, to, amount: sum });
    }
    await manager.drain();
    await table.caughtUp();
    const { events: outcome } = await typedLog(store.log, events, { writers }).read(
      `transfer:${id}`,
    );
    for (const { type, payload } of outcome) {
      if (type === 'TransferRefused') fail(`refused: ${payload.reason}`);
    }
    const rows: Record<string, { balance: number }> = {};
    for await (const [log, row] of table.rows()) rows[log.slice('account:'.length)] = row;
    console.table(rows);
  } catch (error) {
    fail((error as Error).message);
  } finally {
    // Ends what runs on it, too.
    await store.close();
  }
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
