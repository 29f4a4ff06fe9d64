/**
 * Accounts: registered with an email address that nobody else has, changed, closed. What an
 * account is, is in its own log; that its address is its own is the business of `reservations.ts`.
 */
import { InvalidInput } from '../event/error.ts';
import { type EventId, ZERO_ID } from '../event/event-id.ts';
import { accountLog, isAccountId } from '../event/log-name.ts';
import { ACCOUNT_EVENTS } from '../event/own-events.ts';
import { OutcomeUnknown, Unavailable, WrongType } from '../event/store-errors.ts';
import { endsWith } from '../log/dependents.ts';
import type { EventLog } from '../log/log.ts';
import { type NoticeOptions, observer } from '../metrics/observer.ts';
import type { Records } from '../records/records.ts';
import {
  type Account,
  type AccountEvent,
  accountFrom,
  essenceOf,
  type Registration,
} from './account.ts';
import { canonicalEmail, formerEmail } from './email-address.ts';
import { AccountBusy, AccountClosed, AccountNotFound, AddressTaken } from './errors.ts';
import { OwnerHistory } from './owner-history.ts';
import { type Exchanged, Reservations } from './reservations.ts';

export interface AccountsOptions extends NoticeOptions {
  readonly log: EventLog;
  readonly records: Records;
  /** The time in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** A text that nobody has had before, and nobody can guess. Default: a random UUID. */
  readonly random?: (() => string) | undefined;
  /**
   * How long a registration or change may take, in milliseconds, before others may give it up and
   * have the address. Default 30,000.
   */
  readonly claimTime?: number | undefined;
  /**
   * After how many events of an account's log a record remembers what they came to, so that looking
   * at the account reads little more than so many. Default 200.
   */
  readonly rememberEvery?: number | undefined;
  /**
   * How often what was broken off is looked for, in milliseconds; 0: never by itself. Default
   * 60,000.
   */
  readonly sweepInterval?: number | undefined;
}

/** Holds the last account ID that was given out. */
const SEQUENCE_KEY = 'account_id';

/** How many logs in a row somebody may have written to before their accounts existed. */
const MAX_SKIPPED = 10_000;

/** How often a step is started again when it was overtaken. */
const STARTS = 8;

const EVENT_TYPES: ReadonlySet<string> = new Set(ACCOUNT_EVENTS);

/**
 * All methods throw what the store throws. After `unavailable` nothing has happened; after
 * `outcome_unknown` it may have. `register` then may have made an account that has the address.
 */
export interface Accounts {
  /**
   * Makes an account. Its ID is the next value of the sequence `account_id`, or a later one where
   * somebody wrote to that account's log before.
   * @throws InvalidInput (`invalid_email`), AddressTaken
   */
  register(registration: Registration): Promise<Account>;

  /** @throws InvalidInput (`invalid_email`), AddressTaken, AccountNotFound, AccountClosed, AccountBusy */
  changeEmail(id: string, email: string): Promise<Account>;

  /** Closes the account for good, and frees its address. @throws AccountNotFound, AccountClosed, AccountBusy */
  close(id: string): Promise<Account>;

  /** The account, also a closed one. */
  get(id: string): Promise<Account | undefined>;

  /** The open account that has the address, in whatever case and form it is written. @throws InvalidInput */
  findByEmail(email: string): Promise<Account | undefined>;

  /**
   * Brings to an end what crashed on the way and is overdue, as also happens by itself.
   * @returns how many registrations, changes and closings that were
   */
  sweep(): Promise<number>;

  /** Ends the sweeps that happen by themselves, as closing the log does. */
  stop(): void;
}

/** Accounts on an event log and records, best those of one {@link openStore}. */
export function createAccounts(options: AccountsOptions): Accounts {
  return new StoredAccounts(options);
}

class StoredAccounts implements Accounts {
  readonly #log: EventLog;
  readonly #records: Records;
  readonly #reservations: Reservations;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  readonly #leave: (() => void) | undefined;

  constructor(options: AccountsOptions) {
    const { log, records, clock = Date.now, claimTime = 30_000, sweepInterval = 60_000 } = options;
    const random = options.random ?? (() => crypto.randomUUID());
    this.#log = log;
    this.#records = records;
    this.#reservations = new Reservations({
      log,
      records,
      clock,
      random,
      claimTime,
      logOf: accountLog,
      types: EVENT_TYPES,
      essence: essenceOf,
      rememberEvery: options.rememberEvery,
    });
    if (sweepInterval === 0) return;
    // A sweep that fails is made up for by the next one.
    const { notice } = observer(options);
    const failed = (error: unknown) => notice({ what: 'store', by: 'the accounts', error });
    this.#timer = setInterval(() => void this.sweep().catch(failed), sweepInterval);
    this.#timer.unref?.();
    this.#leave = endsWith(log, 'work', () => this.stop());
  }

  async register(registration: Registration): Promise<Account> {
    const { email } = registration;
    const takes = emailKey(email);
    // Before an ID is used up.
    if (!(await this.#reservations.isFree(takes))) throw new AddressTaken();
    if ((await this.#formerHolder(email)) !== undefined) throw new AddressTaken();
    const event: AccountEvent = { type: 'AccountRegistered', payload: { ...registration } };
    for (let start = 0; start < STARTS; start += 1) {
      let id = '';
      const exchanged = await this.#reservations
        .exchange({
          // Hardly anybody writes to the log of an account before it exists: the first one is not
          // looked at, as the append shows it.
          owner: async () => {
            id = start === 0 ? String(await this.#nextNumber()) : await this.#nextId();
            return id;
          },
          takes,
          history: new OwnerHistory(),
          decide: ({ version }) => (version === ZERO_ID ? event : undefined),
        })
        .catch((error: unknown): Exchanged => {
          // Something else may have the place of the log: the next one is looked at first.
          if (start === 0 && error instanceof WrongType) return 'again';
          throw error;
        });
      if (accept(exchanged, id)) return { id, email, status: 'open' };
    }
    throw new Unavailable(`overtaken ${STARTS} times`);
  }

  async changeEmail(id: string, email: string): Promise<Account> {
    const wanted = emailKey(email);
    const holder = await this.#formerHolder(email);
    if (holder !== undefined && holder.id !== id) throw new AddressTaken();
    return this.#change(id, ({ email: previous }, before) => {
      const event = { type: 'EmailChanged', payload: { email, previous } } as const;
      // Only written otherwise: it is the account's already.
      return before === wanted ? { event } : { event, takes: wanted, gives: before };
    });
  }

  async close(id: string): Promise<Account> {
    return this.#change(id, (_account, gives) => ({
      event: { type: 'AccountClosed', payload: {} },
      gives,
    }));
  }

  async get(id: string): Promise<Account | undefined> {
    return accountFrom(id, (await this.#reservations.history(id)).facts);
  }

  async findByEmail(email: string): Promise<Account | undefined> {
    const key = emailKey(email);
    return (await this.#holder(key, key)) ?? (await this.#formerHolder(email));
  }

  sweep(): Promise<number> {
    return this.#reservations.sweep();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#leave?.();
  }

  /** The open account that holds the address under the key that it had before, see {@link formerEmail}. */
  async #formerHolder(email: string): Promise<Account | undefined> {
    const former = formerEmail(email);
    return former === undefined ? undefined : this.#holder(`email:${former}`, emailKey(email));
  }

  /** The open account that holds what is under `key`, if its address is the one of `wanted`. */
  async #holder(key: string, wanted: string): Promise<Account | undefined> {
    const owner = await this.#reservations.owner(key, isAccountId);
    if (owner === undefined || !isAccountId(owner)) return undefined;
    const account = await this.get(owner);
    // The log is the truth: a key may be about to go.
    const same = account?.status === 'open' && knownEmailKey(account.email) === wanted;
    return same ? account : undefined;
  }

  /** @param plan gets the account, and what it holds as its address */
  async #change(
    id: string,
    plan: (account: Account, holds: string | undefined) => Plan,
  ): Promise<Account> {
    for (let start = 0; start < STARTS; start += 1) {
      const history = await this.#reservations.history(id);
      const account = openAccount(id, history);
      const { event, takes, gives } = plan(account, heldEmail(account, history));
      const exchanged = await this.#reservations.exchange({
        owner: id,
        takes,
        gives,
        history,
        // Whatever else happened, it must not have changed what this was decided upon.
        decide: ({ facts }) => {
          const now = accountFrom(id, facts);
          return now?.status === 'open' && now.email === account.email ? event : undefined;
        },
      });
      if (!accept(exchanged, id)) continue;
      const email = event.type === 'EmailChanged' ? event.payload.email : account.email;
      return { id, email, status: event.type === 'AccountClosed' ? 'closed' : 'open' };
    }
    throw new Unavailable(`overtaken ${STARTS} times`);
  }

  /** The next ID whose log nobody has written to. */
  async #nextId(): Promise<string> {
    for (let skipped = 0; skipped < MAX_SKIPPED; skipped += 1) {
      const id = String(await this.#nextNumber());
      if ((await this.#versionOf(id)) === ZERO_ID) return id;
    }
    throw new Unavailable(`${MAX_SKIPPED} logs in a row are in use already`);
  }

  async #nextNumber(): Promise<number> {
    try {
      return await this.#records.increment(SEQUENCE_KEY);
    } catch (error) {
      // A number that gets lost on the way is never given out; nobody misses it.
      if (error instanceof OutcomeUnknown) throw new Unavailable(error.message, { cause: error });
      throw error;
    }
  }

  async #versionOf(id: string): Promise<EventId | undefined> {
    try {
      return (await this.#log.read(accountLog(id), { limit: 0 })).version;
    } catch (error) {
      if (error instanceof WrongType) return undefined;
      throw error;
    }
  }
}

/** What a change does with the account that it finds. */
interface Plan {
  readonly event: AccountEvent;
  readonly takes?: string | undefined;
  readonly gives?: string | undefined;
}

function openAccount(id: string, { facts }: OwnerHistory): Account {
  const account = accountFrom(id, facts);
  if (account === undefined) throw new AccountNotFound(id);
  if (account.status === 'closed') throw new AccountClosed(id);
  return account;
}

/** @returns whether it is done; if not, it is to be started again */
function accept(exchanged: Exchanged, id: string): boolean {
  if (exchanged === 'taken') throw new AddressTaken();
  if (exchanged === 'busy') throw new AccountBusy(id);
  return exchanged === 'done';
}

/** As the log says it: what is held was reserved by the rule of its time. */
function heldEmail({ email }: Account, { held }: OwnerHistory): string | undefined {
  return held.find((value) => value.startsWith('email:')) ?? knownEmailKey(email);
}

/** The value that is reserved, and the key that holds its owner. */
function emailKey(email: string): string {
  return `email:${canonicalEmail(email)}`;
}

/** Of an address that an account has; undefined for one that others wrote and that is none. */
function knownEmailKey(email: string): string | undefined {
  try {
    return emailKey(email);
  } catch (error) {
    if (error instanceof InvalidInput) return undefined;
    throw error;
  }
}
