/** What `/accounts` needs of an application: somebody who keeps the accounts, and who may make them. */
import type { Accounts } from '../../accounts/accounts.ts';

/** Who may make accounts: everybody, or only those whose identity says `admin`. */
export type WhoMayRegister = 'open' | 'admin';

/** Whoever keeps the accounts, as far as `/accounts` calls them. */
export type AccountKeeper = Pick<Accounts, 'register' | 'get' | 'changeEmail' | 'close'>;
