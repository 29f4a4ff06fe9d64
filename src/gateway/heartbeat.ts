/**
 * One timer for all connections of a gateway: a wheel of slots, one slot a tick.
 *
 *   tick ─► slot 0  slot 1 … slot 499   each slot is pinged once per turn (= ping interval)
 *
 * The slots are many and small: of 10,000 connections, 400 a second are due. To ping those all at
 * once, and to read their answers, takes 20 ms, in which everybody's events would wait.
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

/** As many as there are ticks of 50 ms in a turn, within bounds. */
const TICK_MS = 50;
const FEWEST_SLOTS = 25;
const MOST_SLOTS = 500;
/** How often silence is looked for, per turn and connection: in so many slots a tick. */
const LOOKS = 5;

export class Heartbeat {
  /** Ticks since the start. */
  now = 0;
  readonly #slots: readonly Set<Beating>[];
  readonly #patience: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #next = 0;

  /** Both in milliseconds. */
  constructor(pingInterval: number, idleTimeout: number) {
    const fitting = Math.floor(pingInterval / TICK_MS);
    const count = Math.min(MOST_SLOTS, Math.max(FEWEST_SLOTS, fitting));
    this.#slots = Array.from({ length: count }, () => new Set());
    const tickLength = pingInterval / count;
    this.#patience = idleTimeout / tickLength;
    this.#timer = setInterval(() => this.#tick(), tickLength);
    this.#timer.unref?.();
  }

  /** @returns the slot, to be handed back to {@link remove} */
  add(beating: Beating): number {
    beating.seenAt = this.now;
    this.#next = (this.#next + 1) % this.#slots.length;
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
    const count = this.#slots.length;
    const stride = Math.ceil(count / LOOKS);
    for (let slot = this.now % stride; slot < count; slot += stride) {
      for (const beating of this.#slots[slot]!) {
        if (this.now - beating.seenAt > this.#patience) beating.expire();
      }
    }
    for (const beating of this.#slots[this.now % count]!) beating.beat();
  }
}
