/**
 * One timer for all connections of a gateway: a wheel of slots, one slot a tick.
 *
 *   tick ─► slot 0  slot 1 … slot 24   each slot is pinged once per turn (= ping interval)
 *
 * Time is counted in ticks, so that a process which was asleep (a closed laptop, a debugger) does
 * not take every connection for dead when it wakes up.
 */

/** A connection in the wheel. */
export interface Beating {
  /** The tick of the last sign of life. */
  seenAt: number;
  /** Time to ask for a sign of life. */
  beat(): void;
  /** There was none for too long. */
  expire(): void;
}

const SLOTS = 25;
/** Silence is looked for in every fifth slot at a time: five times per turn and connection. */
const STRIDE = 5;

export class Heartbeat {
  /** Ticks since the start. */
  now = 0;
  readonly #slots: Set<Beating>[] = Array.from({ length: SLOTS }, () => new Set());
  readonly #patience: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #next = 0;

  /** Both in milliseconds. */
  constructor(pingInterval: number, idleTimeout: number) {
    const tickLength = pingInterval / SLOTS;
    this.#patience = idleTimeout / tickLength;
    this.#timer = setInterval(() => this.#tick(), tickLength);
    this.#timer.unref?.();
  }

  /** @returns the slot, to be handed back to {@link remove} */
  add(beating: Beating): number {
    beating.seenAt = this.now;
    this.#next = (this.#next + 1) % SLOTS;
    this.#slots[this.#next]!.add(beating);
    return this.#next;
  }

  remove(beating: Beating, slot: number): void {
    this.#slots[slot]!.delete(beating);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.now += 1;
    for (let slot = this.now % STRIDE; slot < SLOTS; slot += STRIDE) {
      for (const beating of this.#slots[slot]!) {
        if (this.now - beating.seenAt > this.#patience) beating.expire();
      }
    }
    for (const beating of this.#slots[this.now % SLOTS]!) beating.beat();
  }
}
