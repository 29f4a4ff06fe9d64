/** Lets work be done one after the other, in the order in which it came. */

export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when everything that came before has ended, well or not. */
  take<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
