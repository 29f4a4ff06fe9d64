/** Watches over the time of one connection's identity. */
import type { MillraceError } from '../../event/error.ts';
import { presentable } from '../../protocol/problem.ts';
import type { Access } from './access.ts';
import { type Identity, Unauthenticated } from './identity.ts';

/** Clocks can be set and machines can sleep, so no timer runs for longer than this. */
const LONGEST_WAIT = 60_000;
/** How long to wait when it cannot be found out whether an identity still holds. */
const TRY_AGAIN = 5_000;

export class Expiry {
  readonly #access: Access;
  readonly #ended: (error: MillraceError) => void;
  #identity: Identity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /** @param ended is called once for each identity that counts, when it holds no longer */
  constructor(access: Access, identity: Identity, ended: (error: MillraceError) => void) {
    this.#access = access;
    this.#identity = identity;
    this.#ended = ended;
    this.#wait();
  }

  /** Another identity counts from now on. */
  become(identity: Identity): void {
    this.#identity = identity;
    clearTimeout(this.#timer);
    this.#wait();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #wait(least = 0): void {
    const { expiresAt } = this.#identity;
    if (expiresAt === undefined || this.#stopped) return;
    const left = Math.max(expiresAt - this.#access.clock(), least, 0);
    this.#timer = setTimeout(() => void this.#look(), Math.min(left, LONGEST_WAIT));
    this.#timer.unref?.();
  }

  async #look(): Promise<void> {
    if (!this.#access.isOver(this.#identity)) {
      this.#wait();
      return;
    }
    const asked = this.#identity;
    try {
      const renewed = await this.#access.renew(asked);
      if (this.#identity !== asked) return;
      this.#identity = renewed;
      this.#wait();
    } catch (error) {
      if (this.#stopped || this.#identity !== asked) return;
      // What cannot be asked right now has not said no.
      if (error instanceof Unauthenticated) this.#ended(presentable(error));
      else this.#wait(TRY_AGAIN);
    }
  }
}
