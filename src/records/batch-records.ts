/** What all stores of records share: everything but reading is a batch. */
import { InvalidInput } from '../event/error.ts';
import { fenceChange, takeLease } from './lease.ts';
import type { Change, Committed, Fence, Lease, Life, Records, Swapped } from './records.ts';
import { checkChanges, checkKey } from './rules.ts';

export abstract class BatchRecords implements Records {
  /** @param key has been checked */
  protected abstract read(key: string): Promise<string | null>;

  /** @param changes have been checked; a refusal names the first one that does not hold */
  protected abstract commit(changes: readonly Change[], bytes: number): Promise<Committed>;

  abstract close(): Promise<void>;

  async get(key: string): Promise<string | null> {
    return this.read(checkKey(key));
  }

  async compareAndSet(
    key: string,
    expected: string | null,
    value: string | null,
    { timeToLive }: Life = {},
  ): Promise<Swapped> {
    // In a batch an undefined one means "whatever": here that could only be a mistake.
    if (expected === undefined) throw new InvalidInput('expected', 'must be text, or null');
    if (value === undefined) throw new InvalidInput('value', 'must be text, or null');
    const change = { key, expected, value, timeToLive };
    const committed = await this.commit([change], checkChanges([change]));
    if (committed.committed) return { swapped: true };
    return { swapped: false, actual: committed.reason === 'changed' ? committed.actual : null };
  }

  async increment(
    key: string,
    { by = 1, timeToLive }: Life & { readonly by?: number | undefined } = {},
  ): Promise<number> {
    const change = { key, add: by, timeToLive };
    const committed = await this.commit([change], checkChanges([change]));
    if (!committed.committed) throw new Error('a batch without conditions was refused');
    return committed.counts[0]!;
  }

  async lease(
    name: string,
    { timeToLive }: { readonly timeToLive: number },
  ): Promise<Lease | undefined> {
    return takeLease(this, name, timeToLive);
  }

  async batch(
    changes: readonly Change[],
    { fence }: { readonly fence?: Fence | undefined } = {},
  ): Promise<Committed> {
    if (fence === undefined) return this.commit(changes, checkChanges(changes));
    const condition = fenceChange(fence);
    // First, so that it is the reason that is named.
    const fenced = [condition, ...changes];
    const committed = await this.commit(fenced, checkChanges(fenced));
    const overtaken =
      !committed.committed && committed.reason === 'changed' && committed.key === condition.key;
    return overtaken ? { committed: false, reason: 'fenced' } : committed;
  }
}
