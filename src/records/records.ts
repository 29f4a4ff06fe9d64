/**
 * The second contract: small mutable state beside the logs, for accounts, sessions, limits,
 * leases, checkpoints and snapshots. A record is a string under a key.
 *
 * Keys are literal: in Redis, the record `email:han@example.org` is the string under the key
 * `email:han@example.org`, so that other programs can read and write it.
 *
 * Stores implement it (`redis/`, `embedded/`, `memory/`) and pass one suite,
 * `src/testing/contract/records/`. Deliberately not in here: listing keys. Whoever must find
 * records again keeps their keys in a record (as `accounts/open-attempts.ts` does).
 *
 * `null` stands for "no record", in questions and in answers. A record whose time to live is over
 * is absent at once, whenever the store gets round to removing it.
 */

/** How a record is to live. */
export interface Life {
  /** After how many milliseconds the record is gone; a whole number of at least 1. Left out: it stays. */
  readonly timeToLive?: number | undefined;
}

/** One part of a {@link Records.batch}: puts, removes or only looks. */
export interface Put extends Life {
  readonly key: string;
  /** The batch is refused unless the record is this (`null`: absent). Left out: whatever it is. */
  readonly expected?: string | null | undefined;
  /** What the record becomes (`null`: removed), with its time to live replaced. Left out: it stays as it is. */
  readonly value?: string | null | undefined;
}

/** One part of a {@link Records.batch}: counts. */
export interface Add extends Life {
  readonly key: string;
  /** By how much, a whole number; an absent record counts from 0. */
  readonly add: number;
}

/** Its time to live counts only where an {@link Add} makes a record that was absent. */
export type Change = Put | Add;

export type Swapped =
  | { readonly swapped: true }
  /** Nothing was changed; the record is `actual`. */
  | { readonly swapped: false; readonly actual: string | null };

export type Committed =
  /** Everything was done. `counts` has what each {@link Add} came to, in their order. */
  | { readonly committed: true; readonly counts: readonly number[] }
  /** Nothing was changed, because the record under `key` is `actual` and not what was expected. */
  | {
      readonly committed: false;
      readonly reason: 'changed';
      readonly key: string;
      readonly actual: string | null;
    }
  /** Nothing was changed, because somebody else has been given the lease since. */
  | { readonly committed: false; readonly reason: 'fenced' };

/** Ties a batch to a lease: it is refused once a later token has been given out. */
export interface Fence {
  /** The name of the lease. */
  readonly name: string;
  /** The token that its holder was given. */
  readonly token: number;
}

/**
 * A right that one holder has for a while. It can end without its holder noticing (a pause, a
 * clock), so what must not be done by two goes into a batch with the lease as its fence. A store
 * that is spread over servers can look at a fence only where its token is: keys that begin with
 * `{lease:<name>}:` are there, too.
 */
export interface Lease extends Fence {
  /** Starts the time to live afresh. @returns false when somebody else has been given the lease */
  renew(): Promise<boolean>;
  /** Ends it before its time; no harm when it has ended already. */
  release(): Promise<void>;
}

/**
 * What each error says of a change: InvalidInput, WrongType, Unavailable, Closed: it did not
 * happen; OutcomeUnknown: it may have. A change that gives a record a value which nothing else
 * ever gives it can be tried again after OutcomeUnknown: when it is refused and `actual` is that
 * value, it had happened.
 */
export interface Records {
  /**
   * The value, or `null`. A hash that another program keeps in Redis reads as a JSON object of its
   * fields, all of them strings; changing it is refused.
   * @throws InvalidInput, WrongType, Unavailable, Closed
   */
  get(key: string): Promise<string | null>;

  /**
   * Makes the record `value` (`null`: removes it) if it is `expected` (`null`: absent) now. Of
   * several at once on one key, one wins. Resolves once it is as durable as the store is
   * configured to make it.
   * @throws InvalidInput, WrongType, Unavailable, OutcomeUnknown, Closed
   */
  compareAndSet(
    key: string,
    expected: string | null,
    value: string | null,
    life?: Life,
  ): Promise<Swapped>;

  /**
   * Adds `by` (default 1) to the whole number in the record; an absent one counts from 0, and
   * only then `timeToLive` counts. Every caller gets another number.
   * @throws as compareAndSet; WrongType also when the record is no whole number, or would leave
   *   the range of ±2^53
   */
  increment(key: string, options?: Life & { readonly by?: number | undefined }): Promise<number>;

  /**
   * Takes the lease if nobody has it. Its token is greater than all that were given out under
   * that name before, also after the lease expired, was released, or the store was opened anew.
   * After OutcomeUnknown it may be taken, by nobody who knows; it ends by itself.
   * @param name 1 to 128 characters of `A-Z a-z 0-9 . _ : -`
   * @returns undefined when somebody has it
   * @throws as compareAndSet
   */
  lease(name: string, life: { readonly timeToLive: number }): Promise<Lease | undefined>;

  /**
   * All changes or none, at one moment. Each key at most once. (In a Redis Cluster all keys of a
   * batch must be in one slot.)
   * @throws as compareAndSet
   */
  batch(
    changes: readonly Change[],
    options?: { readonly fence?: Fence | undefined },
  ): Promise<Committed>;

  /** Takes no more work, lets what is under way come to its end, and frees everything. */
  close(): Promise<void>;
}
