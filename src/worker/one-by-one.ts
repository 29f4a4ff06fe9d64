/** What only one may do at a time: the others wait in the order in which they came. */
export class OneByOne {
  #last: Promise<void> = Promise.resolve();

  /** @returns what has to be called in the end, to let in the next */
  async enter(): Promise<() => void> {
    const before = this.#last;
    let leave = () => {};
    this.#last = new Promise((resolve) => {
      leave = resolve;
    });
    await before;
    return leave;
  }
}
