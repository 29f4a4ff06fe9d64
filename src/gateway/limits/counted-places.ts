/**
 * How many connections of one kind of holder (an account, an address) are open, within a limit.
 * Within one process it is a number; where several gateways share a store, see `shared-places.ts`.
 */

export interface CountedPlaces {
  /** Takes a place. @returns whether there was one */
  take(holder: string): boolean | Promise<boolean>;
  /** Gives one back. */
  giveBack(holder: string): void;
}

/** No limit. */
export const UNCOUNTED: CountedPlaces = { take: () => true, giveBack() {} };

/** The limit of one process by itself. */
export class LocalPlaces implements CountedPlaces {
  readonly #most: number;
  readonly #taken = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  take(holder: string): boolean {
    const taken = this.#taken.get(holder) ?? 0;
    if (taken >= this.#most) return false;
    this.#taken.set(holder, taken + 1);
    return true;
  }

  giveBack(holder: string): void {
    const taken = this.#taken.get(holder) ?? 0;
    if (taken > 1) this.#taken.set(holder, taken - 1);
    else this.#taken.delete(holder);
  }
}
