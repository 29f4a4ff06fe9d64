/**
 * All reads of a process share one budget, so that ten thousand readers cannot ask for more than
 * fits. How much a page takes is known only once it is there: it holds at least one event, however
 * large. So a read is charged what it asks for or what pages have been taking lately, whichever
 * is more, and then, until its page has been handed on, what it really took.
 */

/** What the first pages are taken for: the largest event that may be appended by default. */
const FIRST_GUESS = 1_048_576;
/** How slowly a large page is forgotten: each page that follows counts by this part. */
const FORGETTING = 1 / 16;

/** Says how much was really read, in bytes. */
export type Charge = (bytes: number) => void;

export class ReadBudget {
  #available: number;
  readonly #total: number;
  readonly #waiting: { bytes: number; start: (share: number) => void }[] = [];
  /** What a page is likely to take. */
  #likely = FIRST_GUESS;

  /** @param bytes how much all pages that are being read may take together */
  constructor(bytes: number) {
    this.#total = bytes;
    this.#available = bytes;
  }

  /**
   * Runs `work`, which reads a page that asks for `bytes`, when there is room for it; first come,
   * first served. What it holds is free again when `work` has ended.
   */
  async run<Result>(bytes: number, work: (charge: Charge) => Promise<Result>): Promise<Result> {
    let held = await this.#take(bytes);
    try {
      return await work((taken) => {
        this.#likely = Math.max(taken, this.#likely - this.#likely * FORGETTING);
        const owed = Math.max(bytes, taken);
        // This may be more than there is: then nobody starts until enough has come back.
        this.#giveBack(held - owed);
        held = owed;
      });
    } finally {
      this.#giveBack(held);
    }
  }

  async #take(bytes: number): Promise<number> {
    if (this.#waiting.length > 0 || this.#shareFor(bytes) > this.#available) {
      return new Promise((start) => this.#waiting.push({ bytes, start }));
    }
    const share = this.#shareFor(bytes);
    this.#available -= share;
    return share;
  }

  /** A page larger than the whole budget takes all of it. */
  #shareFor(bytes: number): number {
    return Math.min(Math.max(bytes, this.#likely), this.#total);
  }

  #giveBack(bytes: number): void {
    this.#available += bytes;
    while (this.#waiting.length > 0) {
      const { bytes: wanted, start } = this.#waiting[0]!;
      const share = this.#shareFor(wanted);
      if (share > this.#available) return;
      this.#waiting.shift();
      this.#available -= share;
      start(share);
    }
  }
}
