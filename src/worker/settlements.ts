/**
 * Writes progress down for all logs of a worker together: what comes up in one turn of the event
 * loop, or while calls are under way, goes into one call.
 */
import type { Settlement, WorkConsumer } from '../work-queues/work-queues.ts';

const CALLS_IN_FLIGHT = 2;

interface Pending {
  readonly make: () => Settlement;
  readonly resolve: (isOurs: boolean) => void;
  readonly reject: (error: unknown) => void;
}

export class Settlements {
  readonly #consumer: Pick<WorkConsumer, 'settle'>;
  #pending: Pending[] = [];
  #inFlight = 0;
  #isScheduled = false;

  constructor(consumer: Pick<WorkConsumer, 'settle'>) {
    this.#consumer = consumer;
  }

  /**
   * @param make called when it is sent, for what there is to be said then
   * @returns whether the lease was ours
   */
  settle(make: () => Settlement): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ make, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#inFlight >= CALLS_IN_FLIGHT || this.#pending.length === 0)
      return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#send();
    });
  }

  async #send(): Promise<void> {
    const sent = this.#pending;
    this.#pending = [];
    this.#inFlight += 1;
    try {
      const answers = await this.#consumer.settle(sent.map(({ make }) => make()));
      for (const [index, { resolve }] of sent.entries()) resolve(answers[index]!);
    } catch (error) {
      for (const { reject } of sent) reject(error);
    }
    this.#inFlight -= 1;
    this.#schedule();
  }
}
