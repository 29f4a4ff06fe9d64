/**
 * By which definition the rows of each version are computed. One record for a name, by version the
 * fingerprints of the definitions there were, in their order:
 *
 *   projection:balances:definitions    { "1": ["text:Zm9…"], "2": ["text:YmF…", "text:cXV…"] }
 *
 *   none known ─► this one                              as of rows from before there were fingerprints
 *   the last one ─► goes on
 *   another one ─► ProjectionChanged, or where that is asked for another name of the last one, or the
 *                  next in the list: another build of the version, beside the last (versions.ts)
 *
 * A definition stays at its place. So while an old and a new process run side by side, the old one,
 * however often it starts, is never taken for a change.
 */
import type { Records } from '../records/records.ts';
import type { OnChange } from './definition.ts';
import { OWN } from './fingerprint.ts';
import { buildOf, LAST_REVISION, revisionOf, versionOf } from './versions.ts';

/** Versions that nobody runs any more need not be known for ever. */
const MOST_VERSIONS = 16;
const MOST_NAMES = 32;

type Known = Readonly<Record<string, readonly string[]>>;

export interface Wanted {
  readonly version: number;
  readonly fingerprint: string;
  readonly onChange: OnChange;
  /** The build that readers see. */
  readonly serving: number;
}

export class Definitions {
  readonly #records: Pick<Records, 'get' | 'compareAndSet'>;
  readonly #key: string;

  constructor(records: Pick<Records, 'get' | 'compareAndSet'>, name: string) {
    this.#records = records;
    this.#key = `projection:${name}:definitions`;
  }

  /** The build that is, or is to be, computed by this definition; undefined when it may not be. */
  async buildFor(wanted: Wanted): Promise<number | undefined> {
    for (;;) {
      const text = await this.#records.get(this.#key);
      const known = parse(text);
      const list = known[wanted.version] ?? [];
      const next = withDefinition(list, wanted);
      if (next === undefined) return undefined;
      const revision = next.findLastIndex((each) => isOneOf(each, wanted.fingerprint)) + 1;
      const build = buildOf(wanted.version, revision);
      if (next === list) return build;
      const written = print({ ...known, [wanted.version]: next });
      const outcome = await this.#records.compareAndSet(this.#key, text, written);
      if (outcome.swapped) return build;
    }
  }
}

/** The same list where it has the definition; undefined where that is not to be in it. */
function withDefinition(list: readonly string[], wanted: Wanted): readonly string[] | undefined {
  const { version, fingerprint, onChange, serving } = wanted;
  const [last] = list.slice(-1);
  if (last === undefined) {
    // Whoever finds nothing takes what readers see for its own.
    const before = versionOf(serving) === version ? revisionOf(serving) - 1 : 0;
    return [...Array.from({ length: before }, () => ''), fingerprint];
  }
  const place = list.findLastIndex((each) => isOneOf(each, fingerprint));
  // It serves, or is going to.
  if (place >= 0 && buildOf(version, place + 1) >= serving) return list;
  // Who gives a name to what is there says that it is the same.
  const isNamed = fingerprint.startsWith(OWN) && !last.includes(OWN);
  if (onChange === 'accept' || isNamed) {
    return [...list.slice(0, -1), [...last.split(' '), fingerprint].slice(-MOST_NAMES).join(' ')];
  }
  if (place >= 0) return list;
  const revision = list.length + 1;
  // Beside a version of very many digits there is no number for it.
  const isNumber = revisionOf(buildOf(version, revision)) === revision;
  if (onChange !== 'rebuild' || revision > LAST_REVISION || !isNumber) return undefined;
  return [...list, fingerprint];
}

/** A definition can have several names: those of its texts, and one of its own. */
function isOneOf(names: string, fingerprint: string): boolean {
  return names.split(' ').includes(fingerprint);
}

/** Whoever wrote it: what is no list of definitions counts as none. */
function parse(text: string | null): Known {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '{}');
  } catch {
    return {};
  }
  if (typeof value !== 'object' || value === null) return {};
  const isList = ([, list]: [string, unknown]) =>
    Array.isArray(list) && list.every((each) => typeof each === 'string');
  return Object.fromEntries(Object.entries(value).filter(isList)) as Known;
}

function print(known: Known): string {
  const versions = Object.entries(known).sort(([one], [other]) => Number(one) - Number(other));
  return JSON.stringify(Object.fromEntries(versions.slice(-MOST_VERSIONS)));
}
