/**
 * A token bucket, kept as one number: the moment at which it is full again (this is also known as
 * GCRA). Nothing has to be refilled, and two programs that know the number know the bucket.
 *
 *        now            fullAt          now + burst
 *   ──────┼───────────────┼──────────────────┼──►   each token taken moves fullAt on by 1/rate;
 *         │◄── taken ────►│◄──── is left ───►│      it may not go beyond the right end
 */

/** How fast tokens come, and how many can be saved up. */
export interface BucketRule {
  /** Tokens a second; more than 0. */
  readonly rate: number;
  /** At least 1. */
  readonly burst: number;
}

/** A full bucket, of which nothing was ever taken. */
export const FULL = 0;

/** How many tokens are left; at most the burst. */
export function tokensLeft({ rate, burst }: BucketRule, fullAt: number, now: number): number {
  const missing = Math.max(0, fullAt - now) * (rate / 1_000);
  // What was put together from fractions may be a hair below the whole number that it is.
  return Math.max(0, Math.floor(burst - missing + 1e-6));
}

/** The bucket after `count` tokens were taken of those that are left. */
export function afterTaking(rule: BucketRule, fullAt: number, now: number, count: number): number {
  return Math.max(fullAt, now) + (count * 1_000) / rule.rate;
}

/** In how many milliseconds there is a token again. */
export function timeToNext({ rate, burst }: BucketRule, fullAt: number, now: number): number {
  return Math.max(0, fullAt - now - ((burst - 1) * 1_000) / rate);
}
