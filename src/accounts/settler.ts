/**
 * Brings attempts to their end that were broken off, on behalf of their owners. What an owner's
 * log says about an attempt is carried out; where it says nothing and the deadline is over, it is
 * made to say that the attempt is abandoned.
 */
import { ABANDONED } from '../event/own-events.ts';
import { OutcomeUnknown, VersionConflict } from '../event/store-errors.ts';
import { Histories, type HistoriesOptions } from './histories.ts';
import type { OwnerHistory } from './owner-history.ts';
import type { OpenReservation, ReservationTable } from './reservation-table.ts';

/** How often others may write to the log in between before this gives up for now. */
const ROUNDS = 32;

/** The owners of values, and their logs. */
export interface Owners extends HistoriesOptions {
  /** The time in milliseconds since 1970. */
  readonly clock: () => number;
}

export class Settler {
  readonly #owners: Owners;
  readonly #histories: Histories;
  readonly #table: ReservationTable;

  constructor(owners: Owners, table: ReservationTable) {
    this.#owners = owners;
    this.#histories = new Histories(owners);
    this.#table = table;
  }

  history(owner: string, earlier?: OwnerHistory): Promise<OwnerHistory> {
    return earlier === undefined
      ? this.#histories.of(owner)
      : this.#histories.since(owner, earlier);
  }

  /** @returns `open` while the attempt may still come to its end by itself */
  async settle(value: string, reservation: OpenReservation): Promise<'settled' | 'open'> {
    const { attempt, state } = reservation;
    const history = await this.#decided(reservation);
    const verdict = history?.verdict(attempt);
    if (history === undefined || verdict === undefined) return 'open';
    if (state === 'releasing') {
      await (verdict === 'done'
        ? this.#table.free(value, reservation)
        : this.#table.keep(value, reservation));
      return 'settled';
    }
    // An old request that arrives late can leave a claim that was done with long ago.
    const holds = history.holds(value) === attempt;
    await (holds ? this.#table.confirm(value, reservation) : this.#table.drop(value, reservation));
    return 'settled';
  }

  /** The owner's history once it has decided about the attempt; brings that about if it is overdue. */
  async #decided({ owner, attempt, deadline }: OpenReservation): Promise<OwnerHistory | undefined> {
    const { log, logOf, clock } = this.#owners;
    let history = await this.history(owner);
    for (let round = 0; round < ROUNDS; round += 1) {
      if (history.verdict(attempt) !== undefined) return history;
      if (deadline > clock()) return undefined;
      const event = { type: ABANDONED, payload: { attempt }, meta: { reservation: { attempt } } };
      try {
        await log.append(logOf(owner), [event], { expected: history.version });
      } catch (error) {
        const look = error instanceof VersionConflict || error instanceof OutcomeUnknown;
        if (!look) throw error;
      }
      history = await this.history(owner, history);
    }
    return undefined;
  }
}
