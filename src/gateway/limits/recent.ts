/**
 * A map that forgets by itself what was not asked for in a while, at no cost per entry: there are
 * two generations, and what is still wanted moves to the younger one. When a generation is full,
 * the next one begins before its time: clients can come from more addresses than we can remember.
 */
export class Recent<Value> {
  readonly #span: number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  readonly #most: number;
  #bornAt = 0;

  /**
   * @param span how long an entry is kept at least after it was last asked for, in milliseconds,
   *   as long as no more than `most` are asked for meanwhile
   */
  constructor(span: number, most = 100_000) {
    this.#span = span;
    this.#most = most;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The value; `make` makes it where there is none. `now` is in milliseconds, from wherever. */
  get(key: string, now: number, make: () => Value): Value {
    if (now - this.#bornAt > this.#span || this.#young.size >= this.#most) this.#age(now);
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
