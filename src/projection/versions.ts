/**
 * Which version of a projection readers see, and which tables there are. One record for a name:
 *
 *   projection:balances:current    {"serving":1,"versions":[1,2]}
 *
 *   announce 1 ─► serving 1 ── announce 2 ─► 1 serves, 2 is built ── caught up ─► serve 2 ─► retire 1
 *
 * The first version serves at once: there is nothing else to be seen. A version below the serving
 * one is superseded, and does nothing any more. Whoever retires a table holds the lease of its
 * version, so that nobody can write to it afterwards.
 *
 * A version whose definition was changed can be computed anew by itself. Its second build counts as
 * a version right after it, 1.001, and the third as 1.002; both are before 2.
 */
import { WrongType } from '../event/store-errors.ts';
import type { Records } from '../records/records.ts';

export interface Versions {
  readonly serving: number;
  /** Those that have, or may have, a table; in ascending order. */
  readonly versions: readonly number[];
}

/** So many builds one version may have. */
export const LAST_REVISION = 999;

/** The build of a version, from revision 1, which is the version itself. */
export function buildOf(version: number, revision: number): number {
  // By way of text, so that it is the same number wherever it is computed or read.
  return Number(`${version}.${String(revision - 1).padStart(3, '0')}`);
}

export function versionOf(build: number): number {
  return Math.floor(build);
}

export function revisionOf(build: number): number {
  return Math.round((build - versionOf(build)) * 1_000) + 1;
}

export function tableOf(name: string, version: number): string {
  return `${name}@${version}`;
}

export class VersionRecord {
  readonly #records: Pick<Records, 'get' | 'compareAndSet'>;
  readonly #key: string;

  constructor(records: Pick<Records, 'get' | 'compareAndSet'>, name: string) {
    this.#records = records;
    this.#key = `projection:${name}:current`;
  }

  async read(): Promise<Versions | undefined> {
    return this.#parse(await this.#records.get(this.#key));
  }

  /** There is going to be a table of this version; unless a later one serves. */
  announce(version: number): Promise<Versions> {
    return this.#change((known) => {
      if (known === undefined) return { serving: version, versions: [version] };
      if (known.serving > version || known.versions.includes(version)) return known;
      return { ...known, versions: [...known.versions, version].sort((a, b) => a - b) };
    });
  }

  /** From now on readers see this version; unless a later one serves. */
  serve(version: number): Promise<Versions> {
    return this.#change((known) => {
      if (known === undefined) return { serving: version, versions: [version] };
      return known.serving >= version ? known : { ...known, serving: version };
    });
  }

  /** The table of this version is gone. */
  retire(version: number): Promise<Versions> {
    return this.#change((known) => {
      if (known === undefined) return { serving: version, versions: [] };
      return { ...known, versions: known.versions.filter((each) => each !== version) };
    });
  }

  async #change(change: (known: Versions | undefined) => Versions): Promise<Versions> {
    for (;;) {
      const text = await this.#records.get(this.#key);
      const known = this.#parse(text);
      const next = change(known);
      if (next === known) return next;
      const swapped = await this.#records.compareAndSet(this.#key, text, JSON.stringify(next));
      if (swapped.swapped) return next;
    }
  }

  #parse(text: string | null): Versions | undefined {
    if (text === null) return undefined;
    try {
      const { serving, versions } = JSON.parse(text) as Partial<Versions>;
      if (isVersion(serving) && Array.isArray(versions) && versions.every(isVersion)) {
        return { serving, versions };
      }
    } catch {
      // Told below.
    }
    throw new WrongType(
      this.#key,
      `${this.#key} holds something that is not what a projection keeps there`,
    );
  }
}

function isVersion(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 1;
}
