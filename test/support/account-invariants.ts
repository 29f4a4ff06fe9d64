/** What must be true of accounts, whatever happened: judged by the logs, record by record. */
import { accountFrom } from '../../src/accounts/account.ts';
import type { StoredEvent } from '../../src/event/event.ts';
import { type EventId, ZERO_ID } from '../../src/event/event-id.ts';
import { accountLog } from '../../src/event/log-name.ts';
import type { EventLog } from '../../src/log/log.ts';
import type { Records } from '../../src/records/records.ts';

const LISTS = 64;

export interface AccountLogs {
  /** Of every account, its events. */
  readonly events: ReadonlyMap<string, readonly StoredEvent[]>;
  /** Of every address that an open account has, in lower case, those accounts. */
  readonly holders: ReadonlyMap<string, readonly string[]>;
}

/** Reads the logs of all accounts above the number `after`. */
export async function readAccountLogs(
  log: EventLog,
  records: Records,
  after = 0,
): Promise<AccountLogs> {
  const events = new Map<string, readonly StoredEvent[]>();
  const holders = new Map<string, string[]>();
  const last = Number((await records.get('account_id')) ?? 0);
  for (let number = after + 1; number <= last; number += 1) {
    const id = String(number);
    const all = await readAll(log, id);
    events.set(id, all);
    const account = accountFrom(id, all);
    if (account?.status !== 'open') continue;
    // Not by what is judged here; the tests' addresses are of ASCII letters.
    const address = account.email.toLowerCase();
    holders.set(address, [...(holders.get(address) ?? []), id]);
  }
  return { events, holders };
}

/** True at every moment. */
export function sharedAddresses({ holders }: AccountLogs): string[] {
  return [...holders]
    .filter(([, ids]) => ids.length > 1)
    .map(([address, ids]) => `${address} is held by the accounts ${ids.join(' and ')}`);
}

/** True once everything has been settled: the records say what the logs say. */
export async function disagreements(
  { holders }: AccountLogs,
  records: Records,
  addresses: Iterable<string>,
): Promise<string[]> {
  const problems: string[] = [];
  for (const address of addresses) {
    const holder = holders.get(address)?.[0] ?? null;
    const owner = await records.get(`email:${address}`);
    const reservation = await records.get(`{email:${address}}:reservation`);
    const reserved = reservation === null ? null : (JSON.parse(reservation) as object);
    const expected = holder === null ? null : { owner: holder, state: 'held' };
    const seen =
      reserved === null
        ? null
        : {
            owner: (reserved as { owner: string }).owner,
            state: (reserved as { state: string }).state,
          };
    if (owner !== holder) {
      problems.push(`email:${address} is ${owner}, and by the logs it is held by ${holder}`);
    }
    if (JSON.stringify(seen) !== JSON.stringify(expected)) {
      problems.push(`the reservation of ${address} is ${reservation}, held by ${holder}`);
    }
  }
  return problems;
}

/** True once everything has been settled. */
export async function openAttempts(records: Records): Promise<string[]> {
  const lists = await Promise.all(
    Array.from({ length: LISTS }, (_, number) => records.get(`open_reservations:${number}`)),
  );
  return lists.filter((list) => list !== null).map((list) => `still open: ${list}`);
}

async function readAll(log: EventLog, id: string): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  let after: EventId = ZERO_ID;
  for (;;) {
    const { events, more } = await log.read(accountLog(id), { after, limit: 1_000 });
    all.push(...events);
    if (!more) return all;
    after = events[events.length - 1]!.id;
  }
}
