/**
 * What one leased log has come to, on its way to the store: one piece at a time is under way, and
 * what comes up meanwhile goes together into the next, the newest cursor alone.
 */
import type { EventId } from '../event/event-id.ts';
import { pause } from '../event/pause.ts';
import { delayAfter } from '../event/retries.ts';
import { codeOf } from '../event/thrown.ts';
import type { Attempt, LeasedLog, Next, Settlement } from '../work-queues/work-queues.ts';
import type { Settlements } from './settlements.ts';

type Change = Omit<Settlement, 'leased' | 'next'> & { readonly next?: Next };

/** How a lease ends. */
export interface Ending {
  readonly next: Next;
  /** Of the event that the log stops at. */
  readonly attempt?: Attempt | undefined;
}

const STORE_DELAYS = { firstDelay: 50, maxDelay: 1_000, certain: 1 };

export class Progress {
  readonly #leased: LeasedLog;
  readonly #settlements: Settlements;
  readonly #leaseTime: number;
  readonly #onLost: () => void;
  #pending: Change | undefined;
  #flying: Promise<void> = Promise.resolve();
  #isFlying = false;
  #isLost = false;
  #isEnded = false;
  #ahead = 0;
  /** When the store last said that the lease is ours. */
  #renewed = performance.now();

  /** @param onLost called once, when nothing that is done counts any more */
  constructor(leased: LeasedLog, settlements: Settlements, leaseTime: number, onLost: () => void) {
    this.#leased = leased;
    this.#settlements = settlements;
    this.#leaseTime = leaseTime;
    this.#onLost = onLost;
  }

  /** How many events are done that are not written down. */
  get ahead(): number {
    return this.#ahead;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** The last that is to be written is on its way. */
  get isEnding(): boolean {
    return this.#isEnded;
  }

  /** All events up to this one are done. */
  advance(cursor: EventId): void {
    this.#ahead += 1;
    this.#add({ cursor });
  }

  /** Resolves when it is written down, together with all before it, or the lease is lost. */
  async write(change: Change): Promise<void> {
    this.#add(change);
    await this.#flying;
  }

  /** Gives the lease up: the last that is written. */
  async end(ending: Ending): Promise<void> {
    this.#add(ending);
    this.#isEnded = true;
    await this.#flying;
  }

  /** Shows that we are alive. */
  renew(): void {
    if (!this.#isFlying) this.#add({});
    else if (this.#isOver) this.lose();
  }

  /** Resolves when all is written down, or the lease is lost. */
  async written(): Promise<void> {
    await this.#flying;
  }

  /** Makes sure that the lease is ours, when it has not been confirmed for long, as after a pause. */
  async confirm(): Promise<void> {
    if (this.#isOver) await this.write({});
  }

  lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#onLost();
  }

  /** Nobody has confirmed the lease for so long that somebody else may have it. */
  get #isOver(): boolean {
    return performance.now() - this.#renewed > this.#leaseTime;
  }

  #add(change: Change): void {
    if (this.#isLost || this.#isEnded) return;
    this.#pending = together(this.#pending, change);
    if (this.#isFlying) return;
    this.#isFlying = true;
    this.#flying = this.#fly();
  }

  async #fly(): Promise<void> {
    let failed = 0;
    while (this.#pending !== undefined && !this.#isLost) {
      let sent: Change = {};
      let ahead = 0;
      try {
        const isOurs = await this.#settlements.settle(() => {
          sent = this.#pending ?? {};
          this.#pending = undefined;
          ahead = this.#ahead;
          return { leased: this.#leased, ...sent, next: sent.next ?? 'keep' };
        });
        if (!isOurs) this.lose();
        this.#renewed = performance.now();
        this.#ahead -= ahead;
        failed = 0;
      } catch (error) {
        // Whether it happened or not, doing it again does no harm while the lease is ours.
        this.#pending = together(sent, this.#pending ?? {});
        if (this.#isOver || codeOf(error) === 'closed') this.lose();
        else await pause(delayAfter(++failed, STORE_DELAYS));
      }
    }
    // At once after the look at what is pending, so that nothing is left lying.
    this.#isFlying = false;
  }
}

/** A cursor makes earlier attempts void, as the store does. */
function together(before: Change | undefined, change: Change): Change {
  if (before === undefined) return change;
  if (change.cursor === undefined) return { ...before, ...change };
  const { attempt: _, ...rest } = before;
  return { ...rest, ...change };
}
