/**
 * Work that can hold up the event loop: large texts to parse, large events to write. What is to be done in one turn of the
 * loop is limited by the time that it has taken there; the rest waits for the next turn, and in
 * between everybody else is served.
 */

/** A text that is smaller, in bytes or characters, is parsed in less time than it takes to ask whether there is any. */
export const TAKES_TIME = 4_096;
/** So long a turn may be held up, in milliseconds, beside the last piece of work that was begun in it. */
const SHARE = 10;

export class LoopTurns {
  #spent = 0;
  #turn: ReturnType<typeof setTimeout> | undefined;
  readonly #waiting: (() => void)[] = [];

  /** Whether there is time left in this turn. */
  get isOpen(): boolean {
    return this.#spent < SHARE && this.#waiting.length === 0;
  }

  /** Does `work` at once if there is time for it in this turn, otherwise in its turn. What it does after its first `await` does not count. */
  run<Result>(work: () => Result): Promise<Awaited<Result>> {
    if (this.isOpen) return this.#inTurn(work);
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => void this.#inTurn(work).then(resolve, reject));
    });
  }

  /** Does `work` at once, whether or not there is time: what it takes counts. */
  spend<Result>(work: () => Result): Result {
    this.#turn ??= setTimeout(() => this.#nextTurn(), 0);
    const began = performance.now();
    try {
      return work();
    } finally {
      this.#spent += performance.now() - began;
    }
  }

  async #inTurn<Result>(work: () => Result): Promise<Awaited<Result>> {
    return await this.spend(work);
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
