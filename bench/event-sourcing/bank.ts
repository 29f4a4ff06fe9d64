/** The work that all are given: deposits to accounts, decided on the account's state. */

export interface Deposit {
  /** The log of the account, or the stream. */
  readonly account: string;
  readonly amount: number;
}

export interface Account {
  readonly balance: number;
}

export const INITIAL: Account = { balance: 0 };

export function deposited(state: Account, event: { readonly amount: number }): Account {
  return { balance: state.balance + event.amount };
}
