/** Who follows the feed within this process. */
export class FeedFollowers {
  readonly #entries = new Set<{ readonly wake: () => void }>();

  get size(): number {
    return this.#entries.size;
  }

  /** @returns what ends it; the same function may follow twice and end each by itself */
  add(wake: () => void): () => void {
    const entry = { wake };
    this.#entries.add(entry);
    return () => void this.#entries.delete(entry);
  }

  wake(): void {
    // A copy: who is woken may follow or leave.
    for (const entry of [...this.#entries]) if (this.#entries.has(entry)) entry.wake();
  }

  clear(): void {
    this.#entries.clear();
  }
}
