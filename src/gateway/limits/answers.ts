/**
 * What is made and not sent yet, of all answers that can be large. A client may take its time as
 * long as there is room; when there is none, the answer that has waited longest makes it.
 */
import type { Answer } from '../identity/connection.ts';

export class Answers {
  readonly #most: number;
  /** The oldest first. */
  readonly #held = new Map<Answer, number>();
  #bytes = 0;

  /** @param most how many bytes may be held */
  constructor(most: number) {
    this.#most = most;
  }

  /** The answer takes so many bytes until it is sent. */
  hold(answer: Answer, bytes: number): void {
    this.#held.set(answer, bytes);
    this.#bytes += bytes;
    answer.onEnd(() => this.#letGo(answer));
    for (const oldest of this.#held.keys()) {
      // One that is larger than all there is room for is sent all the same.
      if (this.#bytes <= this.#most || oldest === answer) return;
      this.#letGo(oldest);
      oldest.cut();
    }
  }

  #letGo(answer: Answer): void {
    this.#bytes -= this.#held.get(answer) ?? 0;
    this.#held.delete(answer);
  }
}
