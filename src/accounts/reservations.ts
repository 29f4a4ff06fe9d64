/**
 * Values that at most one owner holds, such as email addresses or user names, beside logs that
 * know nothing of each other. Safe whatever crashes or pauses in between: the owner's log decides
 * about every attempt, once and for all, and the reservation record follows.
 *
 *   exchange:  list the attempt ─► claim the new value ─► release the old one ─► append the event
 *              ─► confirm the new value ─► free the old one ─► take the attempt off the list
 *
 *   settle:    the event is in the owner's log        ─► confirm, or free, on its behalf
 *              it is not, and the deadline is over    ─► append `ReservationAbandoned` at the version
 *                                                        just read, then drop, or keep
 *
 * A late writer meets a conflict, reads again, and sees its own event (it was done), its attempt
 * abandoned (start again with a new one), or something unrelated (append at the new version).
 * An event and `ReservationAbandoned` of one attempt cannot both count: each is appended at a
 * version up to which its writer has seen that the other is not there.
 */
import { MillraceError } from '../event/error.ts';
import type { NewEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import { OutcomeUnknown, Unavailable, VersionConflict } from '../event/store-errors.ts';
import type { Records } from '../records/records.ts';
import { type OpenAttempt, OpenAttempts } from './open-attempts.ts';
import type { OwnerHistory } from './owner-history.ts';
import { type OpenReservation, ReservationTable } from './reservation-table.ts';
import { type Owners, Settler } from './settler.ts';

/** How often one step is tried when others keep getting in between. */
const ROUNDS = 32;

/** How often an event is sent whose answer is lost. */
const SENDS = 3;

export interface ReservationsOptions extends Owners {
  readonly records: Records;
  /** A text that nobody has had before, and nobody can guess. */
  readonly random: () => string;
  /** How long an attempt may take before others give it up, in milliseconds. */
  readonly claimTime: number;
}

export interface Exchange {
  /** Who gets the value; a function where that is still to be found out. */
  readonly owner: string | (() => Promise<string>);
  /** The value to get, with its kind, as in `email:han@example.org`. */
  readonly takes?: string | undefined;
  /** The value to give up. */
  readonly gives?: string | undefined;
  /** What the caller decided upon. */
  readonly history: OwnerHistory;
  /**
   * The event to append at the version of this history; undefined when the exchange makes no
   * sense any more. Called again when the log has moved on.
   */
  readonly decide: (history: OwnerHistory) => NewEvent | undefined;
}

export type Exchanged =
  /** The event is in the log, and the values are, or will be, where it says. */
  | 'done'
  /** Somebody else has the value, or is about to. Nothing was changed. */
  | 'taken'
  /** Another attempt of the same owner is under way with the value to give up. Nothing was changed. */
  | 'busy'
  /** Others gave the attempt up, or the history is out of date. Nothing was changed; start again. */
  | 'again';

interface OwnedExchange extends Exchange {
  readonly owner: string;
}

/** An attempt, and what it has got hold of, as far as it knows. */
interface Attempt {
  readonly listed: OpenAttempt;
  claiming?: OpenReservation;
  releasing?: OpenReservation;
}

export class Reservations {
  readonly #options: ReservationsOptions;
  readonly #table: ReservationTable;
  readonly #settler: Settler;
  readonly #open: OpenAttempts;

  constructor(options: ReservationsOptions) {
    this.#options = options;
    this.#table = new ReservationTable(options.records);
    this.#settler = new Settler(options, this.#table);
    this.#open = new OpenAttempts(options.records);
  }

  /** What the owner's log says, from its beginning or on from an earlier history. */
  history(owner: string, earlier?: OwnerHistory): Promise<OwnerHistory> {
    return this.#settler.history(owner, earlier);
  }

  /**
   * Who holds the value. An attempt whose event is in the log counts, however it was broken off.
   * @param isOwner what can be one: others can put anything there
   */
  async owner(
    value: string,
    isOwner: (text: string) => boolean = () => true,
  ): Promise<string | undefined> {
    const owner = await this.#table.owner(value);
    if (owner !== null && isOwner(owner)) return owner;
    const reservation = await this.#table.read(value);
    if (reservation === undefined) return undefined;
    // Somebody has removed the other record, or written to it.
    if (reservation.state === 'held') return reservation.owner;
    await this.#settler.settle(value, reservation);
    return (await this.#table.owner(value)) ?? undefined;
  }

  /** Whether somebody can claim the value now. Settles what can be settled on the way. */
  async isFree(value: string): Promise<boolean> {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [reservation, owner] = await Promise.all([
        this.#table.read(value),
        this.#table.owner(value),
      ]);
      if (reservation === undefined) return owner === null;
      if (reservation.state === 'held') return false;
      if ((await this.#settler.settle(value, reservation)) === 'open') return false;
    }
    return false;
  }

  /**
   * Takes one value, gives up another, or both, with one event in the owner's log.
   * @throws what the log and the records throw. After OutcomeUnknown it may have been done; after
   *   any other nothing is, and what was reserved is given back, by a sweep if need be.
   */
  async exchange(asked: Exchange): Promise<Exchanged> {
    const { clock, random, claimTime } = this.#options;
    const { takes, gives } = asked;
    const values = [takes, gives].filter((value) => value !== undefined);
    const listed = { attempt: random(), values, deadline: clock() + claimTime };
    const attempt: Attempt = { listed };
    const exchange = await this.#begin(asked, attempt);

    let outcome = await this.#reserve(exchange, attempt);
    if (outcome === 'done') outcome = await this.#append(exchange, attempt);
    // The log has decided; whatever is left undone here is settled by others.
    await this.#quietly(async () => {
      await (outcome === 'done'
        ? this.#finish(exchange, attempt)
        : this.#giveBack(exchange, attempt));
      await this.#unlist(attempt);
    });
    return outcome;
  }

  /**
   * Settles the attempts that are overdue. Safe to run anywhere, at any time, several at once.
   * @returns how many attempts were brought to their end
   */
  async sweep(): Promise<number> {
    let settled = 0;
    for await (const open of this.#open.all()) {
      if (open.deadline > this.#options.clock()) continue;
      // One that cannot be settled now must not keep the others waiting.
      await this.#quietly(async () => {
        for (const value of open.values) {
          const reservation = await this.#table.read(value);
          if (reservation?.attempt !== open.attempt || reservation.state === 'held') continue;
          if ((await this.#settler.settle(value, reservation)) === 'open') return;
        }
        await this.#open.remove(open);
        settled += 1;
      });
    }
    return settled;
  }

  /** Lists the attempt, and finds out whose it is, at the same time: neither needs the other. */
  async #begin(asked: Exchange, attempt: Attempt): Promise<OwnedExchange> {
    const { listed } = attempt;
    const [owner, listing] = await Promise.allSettled([
      typeof asked.owner === 'string' ? asked.owner : asked.owner(),
      listed.values.length > 0 ? this.#open.add(listed) : undefined,
    ]);
    if (owner.status === 'fulfilled' && listing.status === 'fulfilled') {
      return { ...asked, owner: owner.value };
    }
    if (listing.status === 'fulfilled') await this.#quietly(() => this.#unlist(attempt));
    throw owner.status === 'rejected' ? owner.reason : (listing as PromiseRejectedResult).reason;
  }

  /** @returns `done` when both values are reserved */
  async #reserve(exchange: OwnedExchange, attempt: Attempt): Promise<Exchanged> {
    const { owner, takes, gives } = exchange;
    const { attempt: id, deadline } = attempt.listed;
    try {
      if (takes !== undefined) {
        attempt.claiming = { owner, attempt: id, state: 'claiming', deadline };
        const claimed = await this.#claim(takes, attempt.claiming);
        if (claimed !== 'done') return claimed;
      }
      if (gives === undefined) return 'done';
      attempt.releasing = { owner, attempt: id, state: 'releasing', deadline };
      return await this.#release(gives, attempt.releasing);
    } catch (error) {
      // Without an event nothing has happened. What still arrives is on the list, for a sweep.
      await this.#quietly(() => this.#giveBack(exchange, attempt));
      throw error instanceof OutcomeUnknown
        ? new Unavailable(error.message, { cause: error })
        : error;
    }
  }

  async #claim(value: string, claiming: OpenReservation): Promise<Exchanged> {
    for (let round = 0; round < ROUNDS; round += 1) {
      const move = await this.#table.claim(value, claiming);
      if (move !== 'changed') return move === 'moved' ? 'done' : 'taken';
      const reservation = await this.#table.read(value);
      if (reservation === undefined) continue;
      const own = reservation.owner === claiming.owner;
      if (reservation.state === 'held') return own ? 'again' : 'taken';
      const settled = await this.#settler.settle(value, reservation);
      if (settled === 'open') return own ? 'busy' : 'taken';
    }
    return 'taken';
  }

  /** @returns `done` also when the owner has no such reservation: there is nothing to give back */
  async #release(value: string, releasing: OpenReservation): Promise<Exchanged> {
    for (let round = 0; round < ROUNDS; round += 1) {
      const reservation = await this.#table.read(value);
      if (reservation?.owner !== releasing.owner) return 'done';
      if (reservation.state === 'held') {
        const move = await this.#table.release(value, reservation, releasing);
        if (move === 'moved') return 'done';
      } else if ((await this.#settler.settle(value, reservation)) === 'open') {
        return 'busy';
      }
    }
    return 'busy';
  }

  async #append(exchange: OwnedExchange, attempt: Attempt): Promise<'done' | 'again'> {
    try {
      return await this.#appendUntilDecided(exchange, attempt);
    } catch (error) {
      // Where nobody can say whether the event is in the log, or will be, a later look decides.
      if (!(error instanceof OutcomeUnknown)) {
        await this.#quietly(async () => {
          await this.#giveBack(exchange, attempt);
          await this.#unlist(attempt);
        });
      }
      throw error;
    }
  }

  async #appendUntilDecided(exchange: OwnedExchange, attempt: Attempt): Promise<'done' | 'again'> {
    const { owner, decide } = exchange;
    let { history } = exchange;
    let event = decide(history);
    // How often the event was sent at this version without an answer.
    let lost = 0;
    for (let round = 0; event !== undefined && round < ROUNDS; round += 1) {
      try {
        await this.#send(exchange, attempt, event, history.version);
        return 'done';
      } catch (error) {
        if (error instanceof OutcomeUnknown) lost += 1;
        // Another failure says only of itself that it did not happen, not of what was sent before.
        else if (!(error instanceof VersionConflict)) throw lost > 0 ? unknown(error) : error;
      }
      const now = await this.#readAgain(owner, history, lost > 0);
      const verdict = now.verdict(attempt.listed.attempt);
      if (verdict !== undefined) return verdict === 'done' ? 'done' : 'again';
      if (now.version !== history.version) {
        // Whatever was sent before can never be appended any more.
        history = now;
        event = decide(history);
        lost = 0;
      } else if (lost === SENDS) break;
    }
    if (lost > 0) throw new OutcomeUnknown(`no answer to ${lost} attempts`);
    return 'again';
  }

  async #send(
    { owner, takes, gives }: OwnedExchange,
    attempt: Attempt,
    { type, payload, meta }: NewEvent,
    expected: EventId,
  ): Promise<void> {
    const { log, logOf } = this.#options;
    const reservation = { attempt: attempt.listed.attempt, takes, gives };
    const event = { type, payload, meta: { ...meta, reservation } };
    await log.append(logOf(owner), [event], { expected });
  }

  async #readAgain(
    owner: string,
    earlier: OwnerHistory,
    uncertain: boolean,
  ): Promise<OwnerHistory> {
    try {
      return await this.history(owner, earlier);
    } catch (error) {
      throw uncertain ? unknown(error) : error;
    }
  }

  async #finish({ takes, gives }: Exchange, attempt: Attempt): Promise<void> {
    const { claiming, releasing } = attempt;
    if (claiming !== undefined) await this.#table.confirm(takes!, claiming);
    if (releasing !== undefined) await this.#table.free(gives!, releasing);
  }

  /** Only when no event of the attempt is in the log, nor can ever get there. */
  async #giveBack({ takes, gives }: Exchange, attempt: Attempt): Promise<void> {
    const { claiming, releasing } = attempt;
    if (claiming !== undefined) await this.#table.drop(takes!, claiming);
    if (releasing !== undefined) await this.#table.keep(gives!, releasing);
  }

  async #unlist({ listed }: Attempt): Promise<void> {
    if (listed.values.length > 0) await this.#open.remove(listed);
  }

  /**
   * Goes on when the store fails: what is left undone is settled later.
   * @returns whether it was done
   */
  async #quietly(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof MillraceError) return false;
      throw error;
    }
  }
}

function unknown(cause: unknown): OutcomeUnknown {
  return new OutcomeUnknown((cause as Error).message, { cause });
}
