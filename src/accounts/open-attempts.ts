/**
 * Where the attempts that have not come to their end are listed, so that a sweep finds those that
 * were broken off. An attempt is listed before its first step and taken off after its last, so
 * the lists hold what is under way now and what crashed since the last sweep.
 *
 *   open_reservations:{0…63}    JSON: attempt, values, deadline, each
 *
 * Spread over a fixed number of records, so that many registrations at once seldom meet on one.
 * (An attempt that pauses beyond its deadline between being listed and its first step is taken
 * off early. If it then also crashes, it is settled when somebody wants the value.)
 */
import { OutcomeUnknown, WrongType } from '../event/store-errors.ts';
import type { Records } from '../records/records.ts';

export interface OpenAttempt {
  readonly attempt: string;
  readonly values: readonly string[];
  /** In milliseconds since 1970. */
  readonly deadline: number;
}

const LISTS = 64;

export class OpenAttempts {
  readonly #records: Records;
  /** What the lists held when we last changed them. A guess, which saves looking first. */
  readonly #known = new Map<string, string | null>();

  constructor(records: Records) {
    this.#records = records;
  }

  add(open: OpenAttempt): Promise<void> {
    return this.#change(open, (list) => [...list, open]);
  }

  async remove(open: OpenAttempt): Promise<void> {
    const key = listKey(listOf(open.attempt));
    // A guess that does not have it would find nothing to do.
    if (this.#known.get(key)?.includes(open.attempt) !== true) {
      this.#known.set(key, await this.#records.get(key));
    }
    await this.#change(open, (list) => list);
  }

  /** All attempts, list by list: bounded reads, however many there are. */
  async *all(): AsyncGenerator<OpenAttempt> {
    for (let number = 0; number < LISTS; number += 1) {
      const key = listKey(number);
      yield* parse(key, await this.#records.get(key));
    }
  }

  /** @param edit gets the list without the attempt */
  async #change(
    { attempt }: OpenAttempt,
    edit: (list: readonly OpenAttempt[]) => readonly OpenAttempt[],
  ): Promise<void> {
    const key = listKey(listOf(attempt));
    let before = this.#known.get(key) ?? null;
    for (;;) {
      const others = parse(key, before).filter((open) => open.attempt !== attempt);
      const list = edit(others);
      const after = list.length === 0 ? null : JSON.stringify(list);
      if (after === before) return;
      try {
        const swap = await this.#records.compareAndSet(key, before, after);
        this.#known.set(key, swap.swapped ? after : swap.actual);
        if (swap.swapped) return;
        before = swap.actual;
      } catch (error) {
        // What happened can be seen; if it comes to pass later, it is refused.
        if (!(error instanceof OutcomeUnknown)) throw error;
        before = await this.#records.get(key);
      }
    }
  }
}

function listKey(number: number): string {
  return `open_reservations:${number}`;
}

/** FNV-1a: spreads, nothing more. */
function listOf(attempt: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < attempt.length; index += 1) {
    hash = Math.imul(hash ^ attempt.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % LISTS;
}

function parse(key: string, text: string | null): readonly OpenAttempt[] {
  if (text === null) return [];
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every(isOpenAttempt)) return list;
  } catch {
    // The same as any other text that is no list.
  }
  throw new WrongType(key, `${key} holds no list of open reservations`);
}

function isOpenAttempt(value: unknown): value is OpenAttempt {
  if (typeof value !== 'object' || value === null) return false;
  const { attempt, values, deadline } = value as Record<string, unknown>;
  return (
    typeof attempt === 'string' &&
    typeof deadline === 'number' &&
    Array.isArray(values) &&
    values.every((each) => typeof each === 'string')
  );
}
