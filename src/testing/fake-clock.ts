/** Time that stands still until a test moves it. */

/** A clock for tests: hand `now` to whatever takes a `clock`, and `sleep` to whatever takes one. */
export class FakeClock {
  #time: number;

  /** @param start in milliseconds since 1970. Default: the first moment of 2026, UTC */
  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.#time = start;
  }

  /** The time in milliseconds since 1970. */
  readonly now = (): number => this.#time;

  /** Lets time pass. */
  advance(milliseconds: number): void {
    this.#time += milliseconds;
  }

  /** Lets the time pass at once, instead of waiting for it. */
  readonly sleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    this.advance(milliseconds);
  };
}
