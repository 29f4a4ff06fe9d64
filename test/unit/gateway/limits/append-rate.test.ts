/** How often an account may append: by one gateway, and by several that share a store. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Unavailable } from '../../../../src/event/store-errors.ts';
import { type AppendRate, LocalAppendRate } from '../../../../src/gateway/limits/append-rate.ts';
import { LimitReached } from '../../../../src/gateway/limits/limit-reached.ts';
import { SharedAppendRate } from '../../../../src/gateway/limits/shared-append-rate.ts';
import type { Records } from '../../../../src/records/records.ts';
import { MemoryRecords } from '../../../../src/stores/memory/records/memory-records.ts';
import { settled } from '../fakes.ts';

class Clock {
  now = 1_000_000;
  readonly read = () => this.now;
}

const done = async () => 'done';

/** How many of `count` appends at once were let through. */
async function letThrough(rate: AppendRate, count: number, account = 'account:1') {
  const results = await Promise.allSettled(
    Array.from({ length: count }, () => rate.spend(account, done)),
  );
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(LimitReached);
  }
  return results.filter(({ status }) => status === 'fulfilled').length;
}

describe('one gateway by itself', () => {
  test('takes the burst at once, then the rate, and says when to come back', async () => {
    const clock = new Clock();
    const rate = new LocalAppendRate({ rate: 10, burst: 20 }, clock.read);
    expect(await letThrough(rate, 50)).toBe(20);
    const refused = await rate.spend('account:1', done).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'rate_limited', retryAfter: 100 });
    clock.now += 99;
    expect(await letThrough(rate, 5)).toBe(0);
    clock.now += 1;
    expect(await letThrough(rate, 5)).toBe(1);
    clock.now += 1_000;
    expect(await letThrough(rate, 50)).toBe(10);
  });

  test('keeps accounts apart, and forgets those that are quiet', async () => {
    const clock = new Clock();
    const rate = new LocalAppendRate({ rate: 10, burst: 5 }, clock.read);
    expect(await letThrough(rate, 9, 'account:1')).toBe(5);
    expect(await letThrough(rate, 9, 'account:2')).toBe(5);
    clock.now += 250;
    expect(await letThrough(rate, 9, 'account:1')).toBe(2);
    clock.now += 300;
    expect(await letThrough(rate, 9, 'account:1')).toBe(3);
    clock.now += 10_000;
    expect(await letThrough(rate, 9, 'account:1')).toBe(5);
  });

  test('an append that fails by itself has been one', async () => {
    const rate = new LocalAppendRate({ rate: 1, burst: 1 }, new Clock().read);
    await expect(rate.spend('account:1', () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    );
    expect(await letThrough(rate, 1)).toBe(0);
  });
});

describe('several gateways over one store', () => {
  const rule = { rate: 100, burst: 200 };
  const slice = 10;

  test('let through what one would, and one slice each', async () => {
    const clock = new Clock();
    const records = new MemoryRecords({ clock: clock.read });
    const gateways = [1, 2, 3].map(() => new SharedAppendRate(records, rule, clock.read));
    let total = 0;
    for (let second = 0; second < 10; second += 1) {
      for (const gateway of gateways) total += await letThrough(gateway, 300);
      clock.now += 1_000;
    }
    const fair = rule.burst + 9 * rule.rate;
    expect(total).toBeGreaterThanOrEqual(fair);
    expect(total).toBeLessThanOrEqual(fair + gateways.length * slice);
  });

  test('appends go through in the order in which they came, also those that had to wait', async () => {
    const clock = new Clock();
    const records = new MemoryRecords({ clock: clock.read });
    const gateway = new SharedAppendRate(records, rule, clock.read);
    const order: number[] = [];
    const sent = Array.from({ length: 150 }, (_, index) =>
      gateway.spend('account:1', async () => {
        order.push(index);
      }),
    );
    await settled();
    const late = gateway.spend('account:1', async () => {
      order.push(150);
    });
    await Promise.all([...sent, late]);
    expect(order).toEqual(Array.from({ length: 151 }, (_, index) => index));
  });

  test('an account that appends now and then costs the store nothing', async () => {
    const clock = new Clock();
    const records = counting(new MemoryRecords({ clock: clock.read }));
    const gateway = new SharedAppendRate(records, rule, clock.read);
    for (let append = 0; append < 4; append += 1) {
      await gateway.spend('account:1', done);
      clock.now += 10_000;
    }
    expect(records.calls).toBe(0);
  });

  test('a busy account costs the store about one command a slice', async () => {
    const clock = new Clock();
    const records = counting(new MemoryRecords({ clock: clock.read }));
    const gateway = new SharedAppendRate(records, { rate: 1_000, burst: 1_000 }, clock.read);
    for (let append = 0; append < 900; append += 1) {
      await gateway.spend('account:1', done);
      clock.now += 1;
    }
    await settled();
    expect(records.calls).toBeLessThan(25);
  });

  test('a store that is away does not stop appends: each gateway goes by its own bucket', async () => {
    const clock = new Clock();
    const away = {
      get: () => Promise.reject(new Unavailable('it is away')),
      compareAndSet: () => Promise.reject(new Unavailable('it is away')),
    };
    const gateway = new SharedAppendRate(away, rule, clock.read);
    const first = await letThrough(gateway, 400);
    expect(first).toBeGreaterThanOrEqual(rule.burst);
    expect(first).toBeLessThanOrEqual(rule.burst + slice);
    clock.now += 1_000;
    expect(await letThrough(gateway, 400)).toBe(rule.rate);
  });

  test('a record that others broke, or that is from a clock far ahead, does not stop it for good', async () => {
    for (const broken of ['nonsense', '-5', '1e999', '']) {
      const clock = new Clock();
      const records = new MemoryRecords({ clock: clock.read });
      await records.compareAndSet('limit:appends:account:1', null, broken, { timeToLive: 500 });
      const gateway = new SharedAppendRate(records, rule, clock.read);
      await letThrough(gateway, 50);
      clock.now += 1_000;
      await letThrough(gateway, 1);
      clock.now += 1_000;
      expect(await letThrough(gateway, 50), broken).toBeGreaterThan(40);
    }
  });

  test('an append that throws instead of rejecting fails, and nothing else does', async () => {
    const records = new MemoryRecords();
    const gateway = new SharedAppendRate(records, rule);
    const bad = () => {
      throw new Error('thrown');
    };
    const sent = Array.from({ length: 30 }, (_, index) =>
      Promise.resolve(index).then(() => gateway.spend('account:1', index === 20 ? bad : done)),
    );
    const results = await Promise.allSettled(sent);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  });

  test('whatever comes when, never more than the limit and one slice for each gateway', async () => {
    const step = fc.record({ gateway: fc.nat(2), appends: fc.nat(60), wait: fc.nat(400) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = new Clock();
        const records = new MemoryRecords({ clock: clock.read });
        const gateways = [0, 1, 2].map(() => new SharedAppendRate(records, rule, clock.read));
        const start = clock.now;
        let total = 0;
        for (const { gateway, appends, wait } of steps) {
          total += await letThrough(gateways[gateway]!, appends);
          clock.now += wait;
          const limit = rule.burst + ((clock.now - start) * rule.rate) / 1_000;
          expect(total).toBeLessThanOrEqual(limit + gateways.length * slice);
        }
      }),
      { numRuns: 60 },
    );
  });
});

function counting(records: Pick<Records, 'get' | 'compareAndSet'>) {
  const counted = {
    calls: 0,
    get(...parameters: Parameters<Records['get']>) {
      counted.calls += 1;
      return records.get(...parameters);
    },
    compareAndSet(...parameters: Parameters<Records['compareAndSet']>) {
      counted.calls += 1;
      return records.compareAndSet(...parameters);
    },
  };
  return counted;
}
