/**
 * Reading from LMDB takes no waiting: whoever reads page after page would never let anybody else
 * have a turn, and a thousand replays at once would hold the process for seconds. So reads stand
 * in line, and each turn of the event loop serves some milliseconds' worth of them.
 */

/** How long reads may hold a turn, in milliseconds. One page may take longer. */
const TURN = 5;

export class ReadTurns {
  #waiting: (() => void)[] = [];

  /** Runs `read` in one of the next turns, in the order of the calls. */
  run<T>(read: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(read());
        } catch (error) {
          reject(error);
        }
      });
      if (this.#waiting.length === 1) setImmediate(() => this.#serve());
    });
  }

  #serve(): void {
    const end = performance.now() + TURN;
    let served = 0;
    while (served < this.#waiting.length && performance.now() < end) this.#waiting[served++]!();
    this.#waiting.splice(0, served);
    if (this.#waiting.length > 0) setImmediate(() => this.#serve());
  }
}
