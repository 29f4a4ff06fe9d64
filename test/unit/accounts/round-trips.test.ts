/** How often a registration waits for the store: what does not need an answer goes along. */
import { expect, test } from 'vitest';
import { createAccounts } from '../../../src/accounts/accounts.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../../src/stores/memory/records/memory-records.ts';

/** Holds every call back until the round is over. */
class Rounds {
  #held: (() => void)[] = [];

  around<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, name) => {
        const member = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          await new Promise<void>((resolve) => this.#held.push(resolve));
          return member.apply(target, args);
        };
      },
    });
  }

  /** How many rounds it takes. */
  async of(work: Promise<unknown>): Promise<number> {
    let over = false;
    void work.finally(() => {
      over = true;
    });
    for (let rounds = 0; ; rounds += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (over) return rounds;
      for (const release of this.#held.splice(0)) release();
    }
  }
}

function setUp() {
  const rounds = new Rounds();
  const log = new MemoryLog();
  const records = new MemoryRecords();
  const accounts = createAccounts({
    log: rounds.around(log),
    records: rounds.around(records),
    sweepInterval: 0,
  });
  return { rounds, log, records, accounts };
}

test('a registration: is it free, ID and list, claim, append, confirm, off the list', async () => {
  const { rounds, records, accounts } = setUp();
  const registered = accounts.register({ email: 'han@example.org' });
  expect(await rounds.of(registered)).toBe(6);
  expect(await records.get('email:han@example.org')).toBe((await registered).id);
});

test('an address that is taken: one look', async () => {
  const { rounds, accounts } = setUp();
  await rounds.of(accounts.register({ email: 'han@example.org' }));
  const second = accounts.register({ email: 'han@example.org' });
  second.catch(() => {});
  expect(await rounds.of(second.catch(() => {}))).toBe(1);
  await expect(second).rejects.toThrow('address');
});

test('an ID whose log others wrote to is passed over, and leaves nothing behind', async () => {
  const { rounds, log, records, accounts } = setUp();
  await log.append('account:1' as never, [{ type: 'Early', payload: null }]);
  await log.append('account:2' as never, [{ type: 'Early', payload: null }]);
  const registered = accounts.register({ email: 'han@example.org' });
  await rounds.of(registered);
  expect((await registered).id).toBe('3');
  expect(await records.get('email:han@example.org')).toBe('3');
  const lists = Array.from({ length: 64 }, (_, number) => `open_reservations:${number}`);
  expect(await Promise.all(lists.map((key) => records.get(key)))).toEqual(lists.map(() => null));
});
