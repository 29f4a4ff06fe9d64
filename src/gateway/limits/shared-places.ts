/**
 * Places that all gateways of a store count together. Each gateway gives away a first few (a tenth
 * of the limit) on its own, so that most connections cost the store nothing; of a holder with
 * more, a record says how many each gateway has given away.
 *
 *   limit:sockets:account:1   {"<gateway>":37,"<gateway>":12}   rewritten by compare and set
 *   gateway:<gateway>         there while the gateway lives     see `presence.ts`
 *
 * The count of a gateway that died stays in the record until somebody would be refused because of
 * it: then it is looked for, and taken out. What holds: never more than the limit, and a tenth of
 * it for each gateway. While the store of records cannot be reached, each gateway goes by its own
 * count.
 */
import type { Records } from '../../records/records.ts';
import type { CountedPlaces } from './counted-places.ts';
import type { Presence } from './presence.ts';

const SHARES = 10;
/** The record of a holder for whom nothing came or went in that time is forgotten. */
const RECORD_LIFE = 24 * 3_600_000;
/** How often a record is tried to be rewritten against others who do. */
const MAX_ATTEMPTS = 50;

/** How many places each gateway has given away. */
type Counts = ReadonlyMap<string, number>;

/** What this gateway has given away to one holder. */
interface Holding {
  taken: number;
  /** The record as it was when we last knew. */
  known: string | null;
  /** Work on the record: one step after the other. */
  steps: Promise<unknown>;
  stepsWaiting: number;
  /** Some place was given back, which the record will be told. */
  lowering: boolean;
}

export class SharedPlaces implements CountedPlaces {
  readonly #records: Pick<Records, 'get' | 'compareAndSet'>;
  readonly #presence: Presence;
  readonly #most: number;
  /** So many are given away without asking, and not reported. */
  readonly #free: number;
  readonly #holdings = new Map<string, Holding>();

  constructor(records: Pick<Records, 'get' | 'compareAndSet'>, presence: Presence, most: number) {
    this.#records = records;
    this.#presence = presence;
    this.#most = most;
    this.#free = Math.floor(most / SHARES);
  }

  take(holder: string): boolean | Promise<boolean> {
    const holding = this.#holdingOf(holder);
    if (holding.taken < this.#free) {
      holding.taken += 1;
      return true;
    }
    return this.#inTurn(holder, holding, () => this.#claim(holder, holding));
  }

  giveBack(holder: string): void {
    const holding = this.#holdings.get(holder);
    if (holding === undefined || holding.taken === 0) return;
    const reported = holding.taken > this.#free;
    holding.taken -= 1;
    if (!reported) {
      this.#forgetIdle(holder, holding);
    } else if (!holding.lowering) {
      holding.lowering = true;
      void this.#inTurn(holder, holding, () => {
        holding.lowering = false;
        return this.#write(holder, holding, holding.taken);
      });
    }
  }

  async #claim(holder: string, holding: Holding): Promise<boolean> {
    if (holding.taken >= this.#most) return false;
    if (!(await this.#write(holder, holding, holding.taken + 1))) return false;
    holding.taken += 1;
    return true;
  }

  /**
   * Says how many this gateway has given away. Never rejects.
   * @returns false when nothing was written, because all together would be too many
   */
  async #write(holder: string, holding: Holding, mine: number): Promise<boolean> {
    const key = `limit:sockets:${holder}`;
    const { id } = this.#presence;
    const fits = (counts: Counts) =>
      mine <= holding.taken || mine + totalWithout(counts, id) <= this.#most;
    try {
      await this.#presence.start();
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
        let counts = parse(holding.known);
        if (!fits(counts)) {
          // What we know may be old; and the dead do not count.
          holding.known = await this.#records.get(key);
          counts = await this.#livingOf(parse(holding.known));
          if (!fits(counts)) return false;
        }
        const value = print(counts, id, mine > this.#free ? mine : 0);
        const life = value === null ? {} : { timeToLive: RECORD_LIFE };
        const swapped = await this.#records.compareAndSet(key, holding.known, value, life);
        holding.known = swapped.swapped ? value : swapped.actual;
        if (swapped.swapped) return true;
      }
    } catch {
      // Then our own count has to do.
    }
    return true;
  }

  async #livingOf(counts: Counts): Promise<Counts> {
    const living = await this.#presence.living([...counts.keys()]);
    return new Map([...counts].filter(([gateway]) => living.has(gateway)));
  }

  #inTurn<Result>(holder: string, holding: Holding, step: () => Promise<Result>): Promise<Result> {
    holding.stepsWaiting += 1;
    const done = holding.steps.then(step).finally(() => {
      holding.stepsWaiting -= 1;
      this.#forgetIdle(holder, holding);
    });
    holding.steps = done;
    return done;
  }

  #holdingOf(holder: string): Holding {
    let holding = this.#holdings.get(holder);
    if (holding === undefined) {
      const steps = Promise.resolve();
      holding = { taken: 0, known: null, steps, stepsWaiting: 0, lowering: false };
      this.#holdings.set(holder, holding);
    }
    return holding;
  }

  #forgetIdle(holder: string, holding: Holding): void {
    if (holding.taken === 0 && holding.stepsWaiting === 0) this.#holdings.delete(holder);
  }
}

function totalWithout(counts: Counts, gateway: string): number {
  let total = 0;
  for (const [other, count] of counts) if (other !== gateway) total += count;
  return total;
}

/** Whoever wrote it, it is read without harm. */
function parse(record: string | null): Counts {
  try {
    const value: unknown = JSON.parse(record ?? '{}');
    if (typeof value !== 'object' || value === null) return new Map();
    return new Map(
      Object.entries(value).filter(
        (entry): entry is [string, number] => Number.isSafeInteger(entry[1]) && entry[1] > 0,
      ),
    );
  } catch {
    return new Map();
  }
}

/** `null` when nobody has anything. */
function print(counts: Counts, gateway: string, mine: number): string | null {
  const entries = new Map(counts);
  if (mine > 0) entries.set(gateway, mine);
  else entries.delete(gateway);
  return entries.size === 0 ? null : JSON.stringify(Object.fromEntries(entries));
}
