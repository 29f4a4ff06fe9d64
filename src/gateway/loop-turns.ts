/**
 * Work that can hold up the event loop: large texts to parse. What is to be done in one turn of the
 * loop is limited by the time that it has taken there; the rest waits for the next turn, and in
 * between everybody else is served.
 */

/** So long a turn may be held up, in milliseconds, beside the last piece of work that was begun in it. */
const SHARE = 10;

export class LoopTurns {
  #spent = 0;
  #turn: ReturnType<typeof setTimeout> | undefined;
  readonly #waiting: (() => void)[] = [];

  /** Does `work` at once if there is time for it in this turn, otherwise in its turn. What it does after its first `await` does not count. */
  run<Result>(work: () => Result): Promise<Awaited<Result>> {
    if (this.#spent < SHARE && this.#waiting.length === 0) return this.#measured(work);
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => void this.#measured(work).then(resolve, reject));
    });
  }

  async #measured<Result>(work: () => Result): Promise<Awaited<Result>> {
    this.#turn ??= setTimeout(() => this.#nextTurn(), 0);
    const began = performance.now();
    let result: Result;
    try {
      result = work();
    } finally {
      this.#spent += performance.now() - began;
    }
    return await result;
  }

  #nextTurn(): void {
    this.#turn = undefined;
    this.#spent = 0;
    while (this.#spent < SHARE) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next();
    }
  }
}
