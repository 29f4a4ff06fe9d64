/** A store in memory with bank events in it, and what the fold of its logs must come to. */
import { type LogName, parseLogName } from '../../../src/event/log-name.ts';
import type { ProjectionDefinition } from '../../../src/projection/definition.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryReadModels } from '../../../src/stores/memory/read-models/memory-read-models.ts';
import { MemoryRecords } from '../../../src/stores/memory/records/memory-records.ts';
import { defineEvents } from '../../../src/typed/define-events.ts';
import { type } from '../../../src/typed/standard-schema.ts';

export const bank = defineEvents({
  Deposited: type<{ amount: number }>(),
  Withdrawn: type<{ amount: number }>(),
  Closed: type<{ reason: string }>(),
});

export interface Balance {
  balance: number;
  events: number;
}

export const balances: ProjectionDefinition<
  Balance,
  { Deposited: { amount: number }; Withdrawn: { amount: number }; Closed: { reason: string } }
> = {
  name: 'balances',
  events: bank,
  category: 'account',
  initial: () => ({ balance: 0, events: 0 }),
  on: {
    Deposited(state, { payload }) {
      state.balance += payload.amount;
      state.events += 1;
    },
    Withdrawn: ({ balance, events }, { payload }) => ({
      balance: balance - payload.amount,
      events: events + 1,
    }),
    Closed: () => null,
  },
};

/** Short, so that tests need not wait, and long enough for a busy machine. */
export const QUICK = { leaseTime: 300, retries: { firstDelay: 1 }, onNotice: () => {} };

export function account(id: number | string): LogName {
  return parseLogName(`account:${id}`);
}

export class MemoryStore {
  readonly log = new MemoryLog();
  now = 1_700_000_000_000;
  readonly records = new MemoryRecords({ clock: () => Date.now() + this.now });
  readonly readModels = new MemoryReadModels();

  async deposit(id: number | string, ...amounts: readonly number[]): Promise<void> {
    const events = amounts.map((amount) => ({ type: 'Deposited', payload: { amount } }));
    await this.log.append(account(id), events);
  }
}

export async function rowsOf<State>(projection: {
  rows(): AsyncIterable<readonly [string, State]>;
}): Promise<Record<string, State>> {
  const rows: [string, State][] = [];
  for await (const [key, state] of projection.rows()) rows.push([key, state]);
  return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}
