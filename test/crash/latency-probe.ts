/** How long an event takes from one socket to another, asked again and again. */
import { randomId, randomLog } from '../support/names.ts';
import { Reader } from '../support/reader.ts';
import { Writer } from '../support/writer.ts';

const INTERVAL = 20;

export class LatencyProbe {
  readonly #reader: Reader;
  readonly #writer: Writer;
  #sentAt = new Map<string, number>();
  #latencies: number[] = [];

  /** @param gateway the base, like `ws://127.0.0.1:4000` */
  constructor(gateway: string) {
    const log = randomLog();
    this.#reader = new Reader({ name: `probe-${randomId()}`, log, gateway });
    this.#writer = new Writer({
      ...{ name: `probe-${randomId()}`, log, gateway, producer: false, window: 100 },
      next: () => ({ events: 1, bytes: 100, wait: INTERVAL }),
      onSend: (tags) => this.#sentAt.set(tags[0]!, performance.now()),
    });
    this.#reader.onEvent = (tag) => {
      this.#latencies.push(performance.now() - this.#sentAt.get(tag)!);
      this.#sentAt.delete(tag);
    };
  }

  start(): void {
    this.#reader.start();
    this.#writer.start();
  }

  stop(): void {
    this.#writer.stop();
    this.#reader.stop();
  }

  /** The latencies in milliseconds since it was asked last. */
  take(): number[] {
    return this.#latencies.splice(0);
  }
}
