/**
 * Who an event is from. `meta.from` is the gateway's word, and readers may believe it: whatever a
 * client puts there is replaced, or removed where nobody was asked who they are.
 */
import { ACCOUNT_EVENTS } from '../accounts/account.ts';
import { ABANDONED } from '../accounts/owner-history.ts';
import type { MillraceError } from '../event/error.ts';
import type { Meta, NewEvent } from '../event/event.ts';
import { accountLog, type LogName } from '../event/log-name.ts';
import { protocolError } from '../protocol/problem.ts';
import type { Identity } from './identity.ts';

/** What accounts are made of is written by `accounts/` alone. */
const RESERVED: ReadonlySet<string> = new Set([...ACCOUNT_EVENTS, ABANDONED]);

/**
 * The events as they are appended.
 * @throws MillraceError `forbidden` for events that would pass as those of `accounts/`
 */
export function sentBy(
  identity: Identity | undefined,
  log: LogName,
  events: readonly NewEvent[],
): readonly NewEvent[] {
  const from = identity === undefined ? undefined : accountLog(identity.account);
  return events.map(({ type, payload, meta }) => {
    if (RESERVED.has(type) && log.startsWith('account:')) throw reserved(type);
    return { type, payload, meta: metaFrom(from, meta) };
  });
}

function metaFrom(from: string | undefined, meta: Meta | undefined): Meta | undefined {
  if (from !== undefined) return { ...meta, from };
  if (meta === undefined || !Object.hasOwn(meta, 'from')) return meta;
  const { from: _forged, ...rest } = meta;
  return Object.keys(rest).length === 0 ? undefined : rest;
}

function reserved(type: string): MillraceError {
  return protocolError(
    'forbidden',
    `${type} in the log of an account is written by Millrace alone: use POST /accounts, or PATCH or DELETE /accounts/<id>`,
  );
}
