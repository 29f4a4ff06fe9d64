/** A member of a {@link LocalGroup}. */
import { Closed } from '../event/store-errors.ts';
import type { LocalGroup } from './local-group.ts';
import { LONGEST_WAIT } from './rules.ts';
import type { LeasedLog, Settlement, WorkConsumer } from './work-queues.ts';

export class LocalConsumer implements WorkConsumer {
  readonly #group: LocalGroup;
  readonly #leaseTime: number;
  readonly #mustBeOpen: () => void;
  readonly #onLeave: () => Promise<void>;
  #left: Promise<void> | undefined;

  /** @param mustBeOpen throws when the store of work queues is closed */
  constructor(
    group: LocalGroup,
    leaseTime: number,
    mustBeOpen: () => void,
    onLeave: () => Promise<void>,
  ) {
    this.#group = group;
    this.#leaseTime = leaseTime;
    this.#mustBeOpen = mustBeOpen;
    this.#onLeave = onLeave;
  }

  async look(): Promise<boolean> {
    this.#mustBeIn();
    return this.#group.look();
  }

  async take(limit: number, wait: number, signal?: AbortSignal): Promise<readonly LeasedLog[]> {
    this.#mustBeIn();
    const taken = this.#group.take(this, limit, this.#leaseTime);
    if (taken.length > 0 || wait <= 0) return taken;
    await this.#group.wait(Math.min(wait, LONGEST_WAIT), signal);
    if (signal?.aborted || this.#left !== undefined) return [];
    this.#mustBeOpen();
    return this.#group.take(this, limit, this.#leaseTime);
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    this.#mustBeIn();
    return this.#group.settle(this, settlements, this.#leaseTime);
  }

  async lag(): Promise<number> {
    this.#mustBeIn();
    return this.#group.lag();
  }

  leave(still: readonly LeasedLog[] = []): Promise<void> {
    if (this.#left === undefined) {
      this.#group.leave(this, still);
      this.#left = this.#onLeave();
    }
    return this.#left;
  }

  #mustBeIn(): void {
    if (this.#left !== undefined) throw new Closed('the membership in the group');
    this.#mustBeOpen();
  }
}
