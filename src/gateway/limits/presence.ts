/** Tells other gateways of the same store that this one lives, and which others do. */
import type { Records } from '../../records/records.ts';

const ALIVE_FOR = 30_000;
const BEAT_EVERY = 10_000;

export class Presence {
  /** What this gateway is called among the others. */
  readonly id = crypto.randomUUID();
  readonly #records: Pick<Records, 'get' | 'batch'>;
  #timer: ReturnType<typeof setInterval> | undefined;
  #started: Promise<void> | undefined;

  constructor(records: Pick<Records, 'get' | 'batch'>) {
    this.#records = records;
  }

  /**
   * Resolves once the others can know; from then on that stays so until {@link stop}.
   * @throws what the store of records throws; it can be tried again
   */
  start(): Promise<void> {
    this.#started ??= this.#beat().then(
      () => {
        this.#timer = setInterval(() => void this.#beat().catch(() => {}), BEAT_EVERY);
        this.#timer.unref?.();
      },
      (error: unknown) => {
        this.#started = undefined;
        throw error;
      },
    );
    return this.#started;
  }

  /** Which of these gateways live. */
  async living(ids: readonly string[]): Promise<Set<string>> {
    const records = await Promise.all(ids.map((id) => this.#records.get(keyOf(id))));
    return new Set(ids.filter((id, index) => id === this.id || records[index] !== null));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #beat(): Promise<void> {
    await this.#records.batch([{ key: keyOf(this.id), value: 'alive', timeToLive: ALIVE_FOR }]);
  }
}

function keyOf(id: string): string {
  return `gateway:${id}`;
}
