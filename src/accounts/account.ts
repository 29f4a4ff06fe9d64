/** What an account is: the events in its log, and what they add up to. */
import type { JsonValue, StoredEvent } from '../event/event.ts';

/** Each carries `meta.reservation`, see `owner-history.ts`. */
export type AccountEvent =
  /** With whatever else came along at the registration. */
  | { readonly type: 'AccountRegistered'; readonly payload: Registration }
  | { readonly type: 'EmailChanged'; readonly payload: { email: string; previous: string } }
  | { readonly type: 'AccountClosed'; readonly payload: Readonly<Record<string, never>> };

/** What an account is registered with. */
export interface Registration {
  /** Stored as it is given. */
  readonly email: string;
  /** Anything else that the event is to hold. */
  readonly [field: string]: JsonValue;
}

export interface Account {
  readonly id: string;
  /** As it was given; of a closed account, its last one. */
  readonly email: string;
  readonly status: 'open' | 'closed';
}

/** The account as its events make it; undefined when it was never registered. */
export function accountFrom(id: string, events: readonly StoredEvent[]): Account | undefined {
  let account: Account | undefined;
  for (const event of events) account = evolve(id, account, event);
  return account;
}

/** What of a payload the account is made of. */
export function essenceOf(event: StoredEvent): JsonValue {
  const email = emailIn(event);
  return email === undefined ? {} : { email };
}

function evolve(id: string, account: Account | undefined, event: StoredEvent): Account | undefined {
  if (event.type === 'AccountRegistered') {
    const email = emailIn(event);
    return account ?? (email === undefined ? undefined : { id, email, status: 'open' });
  }
  if (account?.status !== 'open') return account;
  if (event.type === 'EmailChanged') return { ...account, email: emailIn(event) ?? account.email };
  return event.type === 'AccountClosed' ? { ...account, status: 'closed' } : account;
}

/** Whoever may write to the store may have written anything. */
function emailIn({ payload }: StoredEvent): string | undefined {
  if (typeof payload !== 'object' || payload === null || !('email' in payload)) return undefined;
  return typeof payload.email === 'string' ? payload.email : undefined;
}
