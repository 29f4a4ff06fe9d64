/**
 * A value that changes: what it is now, and who is told when it is another one. Connection states,
 * views and pages are of this shape, so that React's `useSyncExternalStore` (and any other user
 * interface) takes them as they are.
 */
export interface Readable<Value> {
  /** The value now; the same object as long as nothing has changed. */
  get(): Value;
  /** @returns ends the subscription */
  subscribe(changed: () => void): () => void;
}

/** A {@link Readable} and the way to change it. */
export class Changing<Value> implements Readable<Value> {
  #value: Value;
  readonly #told = new Set<() => void>();

  constructor(value: Value) {
    this.#value = value;
  }

  // Bound, as they are handed over as functions.
  readonly get = (): Value => this.#value;

  readonly subscribe = (changed: () => void): (() => void) => {
    // Each subscription is one of its own, also of the same function.
    const told = () => changed();
    this.#told.add(told);
    return () => this.#told.delete(told);
  };

  set(value: Value): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const told of [...this.#told]) told();
  }
}
