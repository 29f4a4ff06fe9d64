/**
 * Looks at a whole bank (examples/bank) whose transfers have all come to their end, and says what
 * is wrong with it. Reads the stored events itself, and trusts neither deciders nor projections.
 */
import type { StoredEvent } from '../../src/event/event.ts';
import { ZERO_ID } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import { FEED_START } from '../../src/feed/feed.ts';
import type { EventLog } from '../../src/log/log.ts';

/** What a customer was told: `deposit`, `withdraw` or `transfer`, its ID, how much. */
export type Said = readonly [command: string, id: string, amount: number];

type Payload = { readonly amount: number; readonly id: string; readonly transfer?: Transfer };
type Transfer = { readonly id: string; readonly from: string; readonly to: string; amount: number };

/** An empty list for a bank that is as it should be. */
export async function complaints(
  log: Pick<EventLog, 'feed' | 'read'>,
  rows: ReadonlyMap<string, { readonly balance: number }>,
  said: readonly Said[],
): Promise<string[]> {
  const logs = await readLogs(log);
  return [...balances(logs, rows), ...transfers(logs), ...answers(logs, said)];
}

/** Every log of the store; the feed must have each of its events once, in its order. */
async function readLogs(log: Pick<EventLog, 'feed' | 'read'>) {
  const logs = new Map<LogName, StoredEvent[]>();
  for (let after = FEED_START, more = true; more; ) {
    const page = await log.feed({ after });
    for (const item of page.items) {
      const events = logs.get(item.log) ?? [];
      events.push(...item.events);
      logs.set(item.log, events);
    }
    ({ cursor: after, more } = page);
  }
  for (const [name, events] of logs) {
    const ids: string[] = [];
    for (let after = ZERO_ID, more = true; more; ) {
      const page = await log.read(name, { after, limit: 10_000 });
      ids.push(...page.events.map(({ id }) => id));
      after = page.events.at(-1)?.id ?? after;
      more = page.more;
    }
    const told = events.map(({ id }) => id);
    if (ids.join() !== told.join()) throw new Error(`the feed and ${name} do not agree`);
  }
  return logs;
}

type Logs = ReadonlyMap<string, readonly StoredEvent[]>;

const payloadOf = (event: StoredEvent) => event.payload as unknown as Payload;

function ofCategory(logs: Logs, category: string): [string, readonly StoredEvent[]][] {
  return [...logs].filter(([name]) => name.startsWith(`${category}:`));
}

/** The table of balances is the fold of the logs, and no account was ever below nothing. */
function balances(logs: Logs, rows: ReadonlyMap<string, { readonly balance: number }>): string[] {
  const wrong: string[] = [];
  for (const [name, events] of ofCategory(logs, 'account')) {
    // An account that was only ever refused a withdrawal has no row.
    let balance: number | undefined;
    for (const event of events) {
      const { amount } = payloadOf(event);
      if (event.type === 'Deposited') balance = (balance ?? 0) + amount;
      if (event.type === 'Withdrawn') balance = (balance ?? 0) - amount;
      if ((balance ?? 0) < 0) wrong.push(`${name} was overdrawn by ${event.id}`);
    }
    const row = rows.get(name)?.balance;
    if (row !== balance) wrong.push(`${name} has ${balance}, the table says ${row}`);
  }
  for (const name of rows.keys()) {
    if (!logs.has(name)) wrong.push(`the table has ${name}, which has no log`);
  }
  return wrong;
}

/** Each transfer came to an end, and took and gave its amount once, or never. */
function transfers(logs: Logs): string[] {
  const wrong: string[] = [];
  const steps = new Map<string, string[]>();
  for (const [name, events] of ofCategory(logs, 'account')) {
    for (const event of events) {
      const { transfer, amount } = payloadOf(event);
      if (transfer === undefined) continue;
      const list = steps.get(transfer.id) ?? [];
      list.push(`${event.type} ${name} ${event.type === 'WithdrawalRefused' ? '' : amount}`.trim());
      steps.set(transfer.id, list);
    }
  }
  for (const [name, events] of ofCategory(logs, 'transfer')) {
    const { id, from, to, amount } = payloadOf(events[0]!) as unknown as Transfer;
    const types = events.map(({ type }) => type).join();
    const done = (steps.get(id) ?? []).sort().join(', ');
    const carriedOut = `Deposited account:${to} ${amount}, Withdrawn account:${from} ${amount}`;
    const refused = `WithdrawalRefused account:${from}`;
    const fine =
      (types === 'TransferRequested,TransferCompleted' && done === carriedOut) ||
      (types === 'TransferRequested,TransferRefused' && done === refused);
    if (!fine) wrong.push(`${name} came to ${types}, with ${done || 'nothing'}`);
    steps.delete(id);
  }
  for (const id of steps.keys()) wrong.push(`nobody asked for the transfer ${id}`);
  return wrong;
}

/** What a customer was told has happened, once. */
function answers(logs: Logs, said: readonly Said[]): string[] {
  const commands = new Map<unknown, number>();
  for (const [, events] of ofCategory(logs, 'account')) {
    for (const { meta } of events) {
      if (meta?.commandId === undefined) continue;
      commands.set(meta.commandId, (commands.get(meta.commandId) ?? 0) + 1);
    }
  }
  const wrong: string[] = [];
  for (const [id, times] of commands) if (times > 1) wrong.push(`${id} happened ${times} times`);
  for (const [command, id] of said) {
    const happened = command === 'transfer' ? logs.has(`transfer:${id}`) : commands.has(id);
    if (!happened) wrong.push(`${command} ${id} was acknowledged and is not there`);
  }
  return wrong;
}
