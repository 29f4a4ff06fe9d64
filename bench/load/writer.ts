/** Sends events at a steady rate, whether or not the gateway keeps up (an open loop). */
import { Samples } from '../latency.ts';
import { clientFrame, TEXT } from './frames.ts';
import type { LoadSocket } from './socket.ts';

const TICK_MS = 1;

export class PacedWriter {
  /** When each event was sent, by its number. */
  readonly sentAt: Float64Array;
  /** How late each tick came, in milliseconds. */
  readonly lag = new Samples();
  sent = 0;
  readonly #sockets: readonly LoadSocket[];
  readonly #messageAt: (number: number) => string;

  /** @param messageAt what appends the event of that number */
  constructor(
    sockets: readonly LoadSocket[],
    messageAt: (number: number) => string,
    capacity: number,
  ) {
    this.#sockets = sockets;
    this.#messageAt = messageAt;
    this.sentAt = new Float64Array(capacity);
  }

  /** Resolves with the seconds that it took. */
  run(rate: number, seconds: number): Promise<number> {
    const total = Math.min(this.sentAt.length, Math.round(rate * seconds));
    const startedAt = performance.now();
    let lastTick = startedAt;
    return new Promise((resolve) => {
      const tick = () => {
        const now = performance.now();
        this.lag.add(Math.max(0, now - lastTick - TICK_MS));
        lastTick = now;
        const due = Math.min(total, Math.floor(((now - startedAt) / 1000) * rate));
        this.#sendUpTo(due);
        if (this.sent < total) setTimeout(tick, TICK_MS);
        else resolve((performance.now() - startedAt) / 1000);
      };
      setTimeout(tick, TICK_MS);
    });
  }

  /** What is due in one tick goes out evenly over the writers, one write each. */
  #sendUpTo(due: number): void {
    const writers = Math.min(this.#sockets.length, due - this.sent);
    const offset = this.sent;
    const share = (due - this.sent) / writers;
    for (let writer = 0; writer < writers; writer++) {
      const until = writer === writers - 1 ? due : offset + Math.floor(share * (writer + 1));
      const frames: Buffer[] = [];
      while (this.sent < until) {
        const number = this.sent++;
        frames.push(clientFrame(TEXT, this.#messageAt(number)));
        this.sentAt[number] = performance.now();
      }
      const socket = this.#sockets[(offset + writer) % this.#sockets.length]!;
      socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames));
    }
  }
}
