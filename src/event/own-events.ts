/**
 * The events that Millrace itself writes into logs that others use, too: what accounts are made of,
 * and dead letters. Clients cannot append them, and no reader has to know them.
 */
import type { StoredEvent } from './event.ts';
import { isOrdinary, type LogName } from './log-name.ts';

/** The events that accounts are made of, in the log of the account. */
export const ACCOUNT_EVENTS = ['AccountRegistered', 'EmailChanged', 'AccountClosed'] as const;

/** An attempt to reserve something was given up; in the log of whoever tried. */
export const ABANDONED = 'ReservationAbandoned';

const OF_ACCOUNTS: ReadonlySet<string> = new Set([...ACCOUNT_EVENTS, ABANDONED]);

/** Whether only Millrace may append such an event there. */
export function isReserved(log: LogName, type: string): boolean {
  return (OF_ACCOUNTS.has(type) && log.startsWith('account:')) || !isOrdinary(log);
}

/**
 * Whether Millrace has written it. An application may have events of the same names: those of
 * accounts say by which reservation they came about.
 */
export function isMillraces(log: LogName, event: Pick<StoredEvent, 'type' | 'meta'>): boolean {
  if (!isOrdinary(log)) return true;
  if (!OF_ACCOUNTS.has(event.type)) return false;
  if (event.type !== ABANDONED && !log.startsWith('account:')) return false;
  const reservation: unknown = event.meta?.reservation;
  return typeof reservation === 'object' && reservation !== null && 'attempt' in reservation;
}
