/**
 * A map that forgets by itself what was not asked for in a while, at no cost per entry: there are
 * two generations, and what is still wanted moves to the younger one.
 */
export class Recent<Value> {
  readonly #span: number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  #bornAt = 0;

  /** @param span how long an entry is kept at least after it was last asked for, in milliseconds */
  constructor(span: number) {
    this.#span = span;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The value; `make` makes it where there is none. `now` is in milliseconds, from wherever. */
  get(key: string, now: number, make: () => Value): Value {
    if (now - this.#bornAt > this.#span) this.#age(now);
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const value = this.#old.get(key) ?? make();
    this.#old.delete(key);
    this.#young.set(key, value);
    return value;
  }

  #age(now: number): void {
    // After two spans without a question, nothing of the young one is wanted either.
    this.#old = now - this.#bornAt > 2 * this.#span ? new Map() : this.#young;
    this.#young = new Map();
    this.#bornAt = now;
  }
}
