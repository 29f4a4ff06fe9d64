/**
 * Whether there is still somebody at the other end. A browser shows no protocol pings, so silence
 * is answered with a ping of our own.
 *
 *   20 s silent ──► ping ──► 10 s silent ──► dead
 *   a tick comes late, or check() ──► ping ──► 5 s silent ──► dead
 *
 * A late tick means that the machine slept, or only that the timers of a hidden page are held back
 * (to one a minute). So lateness alone proves nothing: the answer may be waiting to be read.
 */

const SILENCE = 20_000;
const PATIENCE = 10_000;
const SHORT_PATIENCE = 5_000;
/** A short tick, as timers may stand still while the machine sleeps. */
const TICK = 5_000;
const LATE = 5_000;
/** So many late ticks in a row are forgiven. */
const FORGIVEN = 2;

export class Heartbeat {
  readonly #ping: () => void;
  readonly #dead: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = 0;
  #deadline = 0;
  #isPinged = false;
  #late = 0;

  /** It beats from now on. */
  constructor(ping: () => void, dead: () => void) {
    this.#ping = ping;
    this.#dead = dead;
    this.heard();
    this.#arm();
  }

  /** Something has come. */
  heard(): void {
    this.#deadline = Date.now() + SILENCE;
    this.#isPinged = false;
    this.#late = 0;
  }

  /** Asks at once. */
  check(): void {
    if (!this.#isPinged || this.#deadline > Date.now() + SHORT_PATIENCE) this.#ask(SHORT_PATIENCE);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #ask(patience: number): void {
    this.#isPinged = true;
    this.#deadline = Date.now() + patience;
    this.#ping();
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const wait = Math.min(Math.max(this.#deadline - Date.now(), 0), TICK);
    this.#due = Date.now() + wait;
    this.#timer = setTimeout(() => this.#tick(), wait);
  }

  #tick(): void {
    const now = Date.now();
    // The clock may also have been set back.
    const isLate = Math.abs(now - this.#due) > LATE;
    if (isLate && this.#late++ < FORGIVEN) this.#ask(SHORT_PATIENCE);
    else if (now < this.#deadline) this.#arm();
    else if (this.#isPinged) this.#dead();
    else this.#ask(PATIENCE);
  }
}
