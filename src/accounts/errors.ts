/** What can go wrong with an account. The codes are part of the wire protocols. */
import { MillraceError } from '../event/error.ts';

/** Somebody has the address, or is about to. It is not told who. Nothing was changed. */
export class AddressTaken extends MillraceError {
  constructor() {
    super('address_taken', 'the address belongs to another account');
  }
}

/** There is no account with that ID. */
export class AccountNotFound extends MillraceError {
  constructor(id: string) {
    super('account_not_found', `there is no account ${id}`);
  }
}

/** The account was closed, for good. Nothing was changed. */
export class AccountClosed extends MillraceError {
  constructor(id: string) {
    super('account_closed', `account ${id} has been closed`);
  }
}

/** Another change of the account is under way, or was broken off a moment ago. Nothing was changed. */
export class AccountBusy extends MillraceError {
  constructor(id: string) {
    super('account_busy', `account ${id} is being changed already; try again in a while`);
  }
}
