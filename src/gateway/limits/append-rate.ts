/**
 * How often an account may append, and do what else writes: a token bucket for each. Within one
 * process it is exact; where several gateways share a store, see `shared-append-rate.ts`.
 */
import { LimitReached } from './limit-reached.ts';
import { Recent } from './recent.ts';
import { afterTaking, type BucketRule, FULL, timeToNext, tokensLeft } from './token-bucket.ts';

export interface AppendRate {
  /**
   * Does `append` if the account may append now. Appends of one account are done in the order in
   * which they were asked for.
   * @throws LimitReached `rate_limited`, without having done anything; else what `append` throws
   */
  spend<Result>(account: string, append: () => Promise<Result>): Promise<Result>;
}

/** Of what a bucket is; left out: of appends. */
export interface SpendingRule extends BucketRule {
  /** As in the key of a shared bucket, `limit:appends:<account>`. */
  readonly name?: string | undefined;
  /** How a refusal puts the rule, after whom it refuses. */
  readonly says?: string | undefined;
}

/** Everybody may append as often as they like. */
export const UNLIMITED: AppendRate = { spend: (_account, append) => append() };

/** The limit of one process by itself. */
export class LocalAppendRate implements AppendRate {
  readonly #rule: SpendingRule;
  readonly #clock: () => number;
  readonly #buckets: Recent<{ fullAt: number }>;

  /** @param clock in milliseconds, from wherever; it should not be set back */
  constructor(rule: SpendingRule, clock: () => number = () => performance.now()) {
    this.#rule = rule;
    this.#clock = clock;
    // By then, a bucket that is forgotten would have been full.
    this.#buckets = new Recent(timeToFill(rule));
  }

  spend<Result>(account: string, append: () => Promise<Result>): Promise<Result> {
    const now = this.#clock();
    const bucket = this.#buckets.get(account, now, fullBucket);
    if (tokensLeft(this.#rule, bucket.fullAt, now) === 0) {
      return Promise.reject(
        rateLimited(account, this.#rule, timeToNext(this.#rule, bucket.fullAt, now)),
      );
    }
    bucket.fullAt = afterTaking(this.#rule, bucket.fullAt, now, 1);
    return append();
  }
}

/** In how many milliseconds an empty bucket is full. */
export function timeToFill({ rate, burst }: BucketRule): number {
  return (burst * 1_000) / rate;
}

export function rateLimited(
  account: string,
  { rate, burst, says }: SpendingRule,
  retryAfter: number,
): LimitReached {
  const rule =
    says ?? `may append ${rate} times a second, and ${burst} times at once after a pause`;
  return new LimitReached('rate_limited', `${account} ${rule}`, retryAfter);
}

function fullBucket(): { fullAt: number } {
  return { fullAt: FULL };
}
