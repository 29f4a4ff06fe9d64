/**
 * The records of reservations, and the only moves that they can make.
 *
 *   email:han@example.org                   the owner: confirmed ones only, for everybody to read
 *   {email:han@example.org}:reservation     JSON: owner, attempt, state and, while it is open, deadline
 *
 *              claim                    confirm
 *   (none) ───────────► claiming ─────────────────► held ◄────────┐
 *      ▲                   │       owner := …        │            │ keep
 *      │        drop       │                         │ release    │
 *      ├───────────────────┘                         ▼            │
 *      └───────────────────────────────────────── releasing ──────┘
 *                     free, owner removed
 *
 * Every move compares the whole record, so owner *and* attempt: a process that was paused can
 * never undo a later owner's step. No record comes back once it is gone, as every attempt is new.
 * The outer braces are literal: a Redis Cluster hash tag, so that both are in one slot.
 */
import { OutcomeUnknown, WrongType } from '../event/store-errors.ts';
import type { Change, Committed, Records } from '../records/records.ts';

export interface OpenReservation {
  readonly owner: string;
  readonly attempt: string;
  readonly state: 'claiming' | 'releasing';
  /** When others may give the attempt up, in milliseconds since 1970. */
  readonly deadline: number;
}

export interface HeldReservation {
  readonly owner: string;
  readonly attempt: string;
  readonly state: 'held';
}

export type Reservation = OpenReservation | HeldReservation;

/** `occupied`: there is an owner under the value, and no reservation. Only others can have put it there. */
export type Move = 'moved' | 'changed' | 'occupied';

/** How often a change is sent whose answer is lost. */
const TRIES = 3;

export function reservationKey(value: string): string {
  return `{${value}}:reservation`;
}

export class ReservationTable {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  /** @param value with its kind, as in `email:han@example.org` */
  async read(value: string): Promise<Reservation | undefined> {
    const key = reservationKey(value);
    const text = await this.#records.get(key);
    return text === null ? undefined : parse(key, text);
  }

  /** The confirmed owner. */
  owner(value: string): Promise<string | null> {
    return this.#records.get(value);
  }

  claim(value: string, claiming: OpenReservation): Promise<Move> {
    return this.#move(value, undefined, claiming, { key: value, expected: null });
  }

  confirm(value: string, from: OpenReservation): Promise<Move> {
    return this.#move(value, from, held(from), { key: value, value: from.owner });
  }

  drop(value: string, from: OpenReservation): Promise<Move> {
    return this.#move(value, from, undefined);
  }

  release(value: string, from: HeldReservation, releasing: OpenReservation): Promise<Move> {
    return this.#move(value, from, releasing);
  }

  keep(value: string, from: OpenReservation): Promise<Move> {
    return this.#move(value, from, held(from));
  }

  free(value: string, from: OpenReservation): Promise<Move> {
    return this.#move(value, from, undefined, { key: value, value: null });
  }

  async #move(
    value: string,
    from: Reservation | undefined,
    to: Reservation | undefined,
    owner?: Change,
  ): Promise<Move> {
    const key = reservationKey(value);
    const next = to === undefined ? null : write(to);
    const changes: Change[] = [
      { key, expected: from === undefined ? null : write(from), value: next },
    ];
    if (owner !== undefined) changes.push(owner);
    const outcome = await surely(() => this.#records.batch(changes));
    if (outcome.committed) return 'moved';
    if (outcome.reason === 'changed' && outcome.key === key) {
      // It may have been our own doing, before an answer was lost.
      return outcome.actual === next ? 'moved' : 'changed';
    }
    return 'occupied';
  }
}

/** Sends again what can be sent again, when an answer is lost. */
async function surely(send: () => Promise<Committed>): Promise<Committed> {
  let lost: OutcomeUnknown | undefined;
  for (let tries = 0; tries < TRIES; tries += 1) {
    try {
      return await send();
    } catch (error) {
      // Another failure says only of itself that nothing happened.
      if (!(error instanceof OutcomeUnknown)) throw lost ?? error;
      lost = error;
    }
  }
  throw lost;
}

function held({ owner, attempt }: Reservation): HeldReservation {
  return { owner, attempt, state: 'held' };
}

/** One text for one reservation: it is compared as text. */
function write(reservation: Reservation): string {
  const { owner, attempt, state } = reservation;
  return state === 'held'
    ? JSON.stringify({ owner, attempt, state })
    : JSON.stringify({ owner, attempt, state, deadline: reservation.deadline });
}

function parse(key: string, text: string): Reservation {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (isReservation(value) && write(value) === text) return value;
  throw new WrongType(key, `${key} holds no reservation`);
}

function isReservation(value: unknown): value is Reservation {
  if (typeof value !== 'object' || value === null) return false;
  const { owner, attempt, state, deadline } = value as Record<string, unknown>;
  if (typeof owner !== 'string' || typeof attempt !== 'string') return false;
  if (state === 'held') return true;
  return (state === 'claiming' || state === 'releasing') && typeof deadline === 'number';
}
