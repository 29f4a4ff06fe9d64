/**
 * The appends of an account, counted over all gateways of a store: one bucket for each account is
 * a record, and a gateway takes tokens from it by the slice, so that the store is not asked for
 * each append.
 *
 *   record  limit:appends:<account>   fullAt ──── take a slice ────►  left: 7 6 5 4 … ──► append
 *                                       ▲                               │ half of it gone
 *                                       └───────────────────────────────┘
 *
 * A gateway that meets an account spends its first slice on trust, and asks when half of it is
 * gone: whoever appends now and then never costs the store anything. What holds: all gateways
 * together let through what one bucket would, and one slice (a tenth) for each gateway that the
 * account uses. Times are those of the gateways' clocks: one that is ahead by a second lets
 * through what a second brings, once. While the store of records cannot be reached, each gateway
 * goes by a bucket of its own.
 */
import type { Records } from '../../records/records.ts';
import { type AppendRate, rateLimited, type SpendingRule, timeToFill } from './append-rate.ts';
import { Recent } from './recent.ts';
import { afterTaking, FULL, timeToNext, tokensLeft } from './token-bucket.ts';

const SLICES = 10;
/** How long an account's slice is kept, in milliseconds, so that a slice on trust is rare. */
const KEPT = 60_000;
/** How often a slice is tried for against others who take theirs. */
const MAX_ATTEMPTS = 10;

/** What this gateway holds of an account's bucket. */
interface Share {
  left: number;
  /** The record as it was when we last knew. */
  known: string | null;
  /** The bucket that counts while the store is away. */
  ownFullAt: number;
  asking: boolean;
  /** The bucket was empty: before this, it is not asked again. */
  emptyUntil: number;
  readonly waiting: { readonly go: () => void; readonly refuse: (error: Error) => void }[];
}

export class SharedAppendRate implements AppendRate {
  readonly #records: Pick<Records, 'get' | 'compareAndSet'>;
  readonly #rule: SpendingRule;
  readonly #clock: () => number;
  readonly #slice: number;
  readonly #shares: Recent<Share>;
  readonly #newShare: () => Share;

  /** @param clock in milliseconds since 1970 */
  constructor(
    records: Pick<Records, 'get' | 'compareAndSet'>,
    rule: SpendingRule,
    clock: () => number = Date.now,
  ) {
    this.#records = records;
    this.#rule = rule;
    this.#clock = clock;
    this.#slice = Math.max(1, Math.floor(Math.min(rule.rate, rule.burst) / SLICES));
    this.#shares = new Recent(Math.max(KEPT, timeToFill(rule)));
    this.#newShare = () => ({
      left: this.#slice,
      known: null,
      ownFullAt: FULL,
      asking: false,
      emptyUntil: 0,
      waiting: [],
    });
  }

  spend<Result>(account: string, append: () => Promise<Result>): Promise<Result> {
    const now = this.#clock();
    const share = this.#shares.get(account, now, this.#newShare);
    if (share.left > 0 && share.waiting.length === 0) {
      share.left -= 1;
      if (share.left <= this.#slice >> 1) this.#ask(account, share, now);
      return append();
    }
    if (!share.asking && now < share.emptyUntil) {
      return Promise.reject(rateLimited(account, this.#rule, share.emptyUntil - now));
    }
    return new Promise((resolve, reject) => {
      const go = () => resolve(new Promise((begun) => begun(append())));
      share.waiting.push({ go, refuse: reject });
      this.#ask(account, share, now);
    });
  }

  #ask(account: string, share: Share, now: number): void {
    if (share.asking || now < share.emptyUntil) return;
    share.asking = true;
    void this.#take(account, share).then((taken) => {
      share.asking = false;
      share.left += taken;
      this.#serve(account, share);
    });
  }

  /** Never rejects. */
  async #take(account: string, share: Share): Promise<number> {
    const key = `limit:${this.#rule.name ?? 'appends'}:${account}`;
    const wanted = () => this.#slice - share.left + share.waiting.length;
    try {
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
        const now = this.#clock();
        const fullAt = Number(share.known ?? FULL) || FULL;
        const taken = Math.min(wanted(), tokensLeft(this.#rule, fullAt, now));
        if (taken < wanted()) this.#rest(share, fullAt, now, taken);
        if (taken === 0) {
          // Seldom enough to look: another one's clock may have been ahead.
          share.known = await this.#records.get(key);
          return 0;
        }
        const next = Math.ceil(afterTaking(this.#rule, fullAt, now, taken));
        const value = String(next);
        // When it is gone, it was full.
        const life = { timeToLive: next - now + 1_000 };
        const swapped = await this.#records.compareAndSet(key, share.known, value, life);
        share.known = swapped.swapped ? value : swapped.actual;
        if (swapped.swapped) return taken;
      }
    } catch {
      // What an append needs the store for fails there, and says so.
    }
    return this.#takeOwn(share, wanted());
  }

  #takeOwn(share: Share, wanted: number): number {
    const now = this.#clock();
    const taken = Math.min(wanted, tokensLeft(this.#rule, share.ownFullAt, now));
    if (taken < wanted) this.#rest(share, share.ownFullAt, now, taken);
    share.ownFullAt = afterTaking(this.#rule, share.ownFullAt, now, taken);
    return taken;
  }

  /** An empty bucket is asked again when half a slice, or what fits, has come. */
  #rest(share: Share, fullAt: number, now: number, taken: number): void {
    const { rate } = this.#rule;
    const after = taken === 0 ? fullAt : afterTaking(this.#rule, fullAt, now, taken);
    // Only a clock that is ahead of ours could say that it takes longer than for one token.
    const next = Math.min(timeToNext(this.#rule, after, now), 1_000 / rate);
    share.emptyUntil = now + Math.max(1, next, ((this.#slice >> 1) * 1_000) / rate);
  }

  #serve(account: string, share: Share): void {
    const { waiting } = share;
    const served = waiting.splice(0, share.left);
    share.left -= served.length;
    for (const { go } of served) go();
    if (waiting.length === 0) return;
    const now = this.#clock();
    if (now >= share.emptyUntil) {
      this.#ask(account, share, now);
      return;
    }
    const error = rateLimited(account, this.#rule, share.emptyUntil - now);
    for (const { refuse } of waiting.splice(0)) refuse(error);
  }
}
