/**
 * One-time tickets: a page trades its token for one, and may then put it into the address of a
 * socket, because by the time that a log has it, it is worth nothing. They are kept as records, so
 * any gateway over the same store takes them; only their hash is kept, so the store tells none.
 */
import { accountIdOf } from '../../event/log-name.ts';
import type { Records } from '../../records/records.ts';
import { type Identity, Unauthenticated } from './identity.ts';

/** What `POST /tickets` answers. */
export interface Ticket {
  readonly ticket: string;
  /** In seconds. */
  readonly expiresIn: number;
}

const TIME_TO_LIVE = 30_000;
const TICKET = /^[A-Za-z0-9_-]{43}$/;

export class Tickets {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  async issue(identity: Identity): Promise<Ticket> {
    const ticket = base64url(crypto.getRandomValues(new Uint8Array(32)));
    const life = { timeToLive: TIME_TO_LIVE };
    await this.#records.compareAndSet(await keyOf(ticket), null, JSON.stringify(identity), life);
    return { ticket, expiresIn: TIME_TO_LIVE / 1_000 };
  }

  /**
   * Of several that come with one ticket, one is let in.
   * @throws Unauthenticated
   */
  async use(ticket: string): Promise<Identity> {
    if (!TICKET.test(ticket)) throw unknown();
    const key = await keyOf(ticket);
    const record = await this.#records.get(key);
    if (record === null) throw unknown();
    const { swapped } = await this.#records.compareAndSet(key, record, null);
    if (!swapped) throw unknown();
    return identityIn(record);
  }
}

/** Others can put anything there. */
function identityIn(record: string): Identity {
  try {
    const identity = JSON.parse(record) as Identity | null;
    if (accountIdOf(identity?.account) !== undefined) return identity!;
  } catch {
    // Told below.
  }
  throw unknown();
}

function unknown(): Unauthenticated {
  return new Unauthenticated('the ticket was used already, is older than 30 s, or never was one');
}

async function keyOf(ticket: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(ticket));
  return `ticket:${base64url(new Uint8Array(hash))}`;
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
