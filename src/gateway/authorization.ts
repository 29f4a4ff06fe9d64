/** Who may do what: one function, which an application can replace. */
import { accountLog, type LogName } from '../event/log-name.ts';
import type { Identity } from './identity.ts';

/** What can be done with a log. `manage` is to change or close the account that the log belongs to. */
export type Action = 'read' | 'append' | 'manage';

/**
 * Whether this identity may do that. Asked for every append and every subscription, so it answers
 * at once; what it has to know about somebody belongs into their {@link Identity.claims}.
 */
export type May = (identity: Identity, action: Action, log: LogName) => boolean;

/** To which logs every account may append: its own, or those of all accounts, as in the article. */
export type AppendRule = 'own' | 'any';

/**
 * Reading: one's own log. Appending: to one's own, and with `any` to that of every account.
 * Claims add to that.
 */
export function ownLogs(append: AppendRule): May {
  return (identity, action, log) => {
    const { account, claims = {} } = identity;
    if (claims.admin === true || log === accountLog(account)) return true;
    if (action === 'read') return matchesAny(claims.logs, log);
    if (action === 'manage') return false;
    return (append === 'any' && log.startsWith('account:')) || matchesAny(claims.append, log);
  };
}

/** With nobody asked who they are, everybody may do everything. */
export const everything: May = () => true;

function matchesAny(patterns: readonly string[] | undefined, log: LogName): boolean {
  return patterns?.some((pattern) => matches(pattern, log)) === true;
}

function matches(pattern: string, log: LogName): boolean {
  return pattern.endsWith('*') ? log.startsWith(pattern.slice(0, -1)) : log === pattern;
}
