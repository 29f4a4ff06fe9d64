/** All reads of a process share one budget, so that ten thousand readers cannot ask for more than fits. */

export class ReadBudget {
  #available: number;
  readonly #total: number;
  readonly #waiting: { bytes: number; start: () => void }[] = [];

  /** @param bytes how much all pages that are being read may take together */
  constructor(bytes: number) {
    this.#total = bytes;
    this.#available = bytes;
  }

  /** Runs `work` when `bytes` are free for it; first come, first served. */
  async run<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
    // A page larger than the whole budget takes all of it.
    const share = Math.min(bytes, this.#total);
    if (this.#waiting.length > 0 || share > this.#available) {
      await new Promise<void>((start) => this.#waiting.push({ bytes: share, start }));
    } else {
      this.#available -= share;
    }
    try {
      return await work();
    } finally {
      this.#available += share;
      this.#startWaiting();
    }
  }

  #startWaiting(): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.bytes <= this.#available) {
      const { bytes, start } = this.#waiting.shift()!;
      this.#available -= bytes;
      start();
    }
  }
}
