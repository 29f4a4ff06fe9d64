/** What arrives during one run, in whichever wire format it came. */
import { Samples } from '../latency.ts';

export class Receipts {
  readonly delivery = new Samples();
  readonly acknowledgement = new Samples();
  received = 0;
  acknowledged = 0;
  doubled = 0;
  refused = 0;
  firstRefusal: string | undefined;
  readonly #sentAt: Float64Array;
  readonly #warmUp: number;
  readonly #seen: Uint8Array;

  /**
   * @param sentAt when each event was sent, by its number
   * @param warmUp how many of the first events' latencies do not count
   */
  constructor(sentAt: Float64Array, warmUp: number) {
    this.#sentAt = sentAt;
    this.#warmUp = warmUp;
    this.#seen = new Uint8Array(sentAt.length);
  }

  hasAll(sent: number): boolean {
    return this.received >= sent && this.acknowledged + this.refused >= sent;
  }

  /** An event came at its account's socket. */
  event(number: number, now: number): void {
    if (this.#seen[number] === 1) {
      this.doubled++;
      return;
    }
    this.#seen[number] = 1;
    this.received++;
    if (number >= this.#warmUp) this.delivery.add(now - this.#sentAt[number]!);
  }

  acknowledgementOf(number: number, now: number): void {
    this.acknowledged++;
    if (number >= this.#warmUp) this.acknowledgement.add(now - this.#sentAt[number]!);
  }

  refusal(reason: string): void {
    this.refused++;
    this.firstRefusal ??= reason;
  }
}
