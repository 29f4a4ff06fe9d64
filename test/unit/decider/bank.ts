/** A small bank, for tests of what handles commands. */
import { decider } from '../../../src/decider/decider.ts';
import { defineEvents } from '../../../src/typed/define-events.ts';
import { type } from '../../../src/typed/standard-schema.ts';

export const bank = defineEvents({
  Deposited: type<{ amount: number }>(),
  Withdrawn: type<{ amount: number }>(),
});

export class NotEnoughMoney extends Error {}

/** `amount` below 0 withdraws, 0 does nothing; `parts` makes several events of it. */
export interface Move {
  readonly account: string;
  readonly amount: number;
  readonly parts?: number;
}

export const account = decider({
  name: 'account',
  events: bank,
  initial: { balance: 0, moves: 0 },
  decide({ amount, parts = 1 }: Move, state) {
    if (amount === 0) return undefined;
    if (state.balance + amount * parts < 0) throw new NotEnoughMoney();
    const event =
      amount > 0
        ? bank.create('Deposited', { amount })
        : bank.create('Withdrawn', { amount: -amount });
    return parts === 1 ? event : Array.from({ length: parts }, () => event);
  },
  evolve(state, event) {
    const moves = state.moves + 1;
    switch (event.type) {
      case 'Deposited':
        return { balance: state.balance + event.payload.amount, moves };
      case 'Withdrawn':
        return { balance: state.balance - event.payload.amount, moves };
    }
  },
  log: ({ account }) => `account:${account}`,
});

/** What the events of a log come to, read one by one and without anything that is tested here. */
export async function balanceIn(
  eventLog: import('../../../src/log/log.ts').EventLog,
  log: string,
): Promise<{ balance: number; moves: number }> {
  let [balance, moves] = [0, 0];
  const { events } = await eventLog.read(log as never, { limit: 10_000, maxBytes: 2 ** 26 });
  for (const { type, payload } of events) {
    moves += 1;
    balance += (type === 'Deposited' ? 1 : -1) * (payload as { amount: number }).amount;
  }
  return { balance, moves };
}
