/**
 * Leases, out of batches: the same on every store.
 *
 *   token   the last token given out; only ever raised, by whoever takes the lease
 *   holder  that token, for as long as the lease lives
 *
 * Whose token is the last one given out has been overtaken by nobody. That is what a fence looks
 * at, and why a lease may be renewed after its time as long as nobody took it.
 */
import { InvalidInput } from '../event/error.ts';
import { WrongType } from '../event/store-errors.ts';
import { leaseKey, leaseTokenKey } from './keys.ts';
import type { Fence, Lease, Put, Records } from './records.ts';
import { checkLeaseName, checkTimeToLive } from './rules.ts';

const WHOLE = /^\d{1,15}$/;

export async function takeLease(
  records: Records,
  name: string,
  timeToLive: number,
): Promise<Lease | undefined> {
  checkLeaseName(name);
  checkTimeToLive(timeToLive);
  const [holder, last] = [leaseKey(name), leaseTokenKey(name)];
  for (;;) {
    const current = await records.get(holder);
    const before = await records.get(last);
    // One whose token is not the last one given out can write nothing: somebody has put it there.
    if (current !== null && current === before) return undefined;
    if (before !== null && !WHOLE.test(before)) throw new WrongType(last);
    const token = Number(before ?? 0) + 1;
    const taken = await records.batch([
      { key: last, expected: before, value: String(token) },
      { key: holder, expected: current, value: String(token), timeToLive },
    ]);
    // Refused, somebody else was given one in between: then there is a holder, or was.
    if (taken.committed) return makeLease(records, name, token, timeToLive);
  }
}

/** What the fence demands, as a part of a batch. */
export function fenceChange({ name, token }: Fence): Put {
  checkLeaseName(name);
  if (!Number.isSafeInteger(token) || token < 1) {
    throw new InvalidInput('fence.token', 'must be a token that a lease was given');
  }
  return { key: leaseTokenKey(name), expected: String(token) };
}

function makeLease(records: Records, name: string, token: number, timeToLive: number): Lease {
  const key = leaseKey(name);
  const value = String(token);
  let released = false;
  return {
    name,
    token,
    async renew() {
      if (released) return false;
      const renewed = await records.batch([{ key, value, timeToLive }], { fence: { name, token } });
      return renewed.committed;
    },
    async release() {
      released = true;
      await records.compareAndSet(key, value, null);
    },
  };
}
