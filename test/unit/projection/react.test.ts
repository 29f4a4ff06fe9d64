import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { react } from '../../../src/projection/react.ts';
import { eventually } from '../../support/eventually.ts';
import { bank, MemoryStore, QUICK } from './memory-store.ts';

const mails = { ...QUICK, name: 'mails', events: bank, category: 'account' };

test('does each event, one after the other, from the start and live', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 1, 2);
  const done: string[] = [];
  let busy = 0;
  const reaction = react(store, {
    ...mails,
    each: async (event) => {
      busy += 1;
      expect(busy).toBe(1);
      await sleep(1);
      done.push(`${event.log} ${event.type === 'Deposited' ? event.payload.amount : ''}`);
      busy -= 1;
    },
  });
  await reaction.caughtUp();
  await store.deposit(2, 3);
  await reaction.caughtUp();
  expect(done).toEqual(['account:1 1', 'account:1 2', 'account:2 3']);
  expect(reaction.status()).toMatchObject({ state: 'live', lag: 0 });
  await reaction.stop();
  // The next one goes on behind it.
  await store.deposit(1, 4);
  const next = react(store, { ...mails, each: ({ id }) => void done.push(id) });
  await next.caughtUp();
  expect(done).toHaveLength(4);
  await next.stop();
});

test('from now on, where that is asked for', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 1, 2);
  const done: number[] = [];
  const each = ({ payload }: { payload: unknown }) =>
    void done.push((payload as { amount: number }).amount);
  const reaction = react(store, { ...mails, from: 'now', each });
  await reaction.caughtUp();
  await store.deposit(1, 3);
  await reaction.caughtUp();
  expect(done).toEqual([3]);
  await reaction.stop();
});

test('an event that fails is tried again, alone: what came before it is not done twice', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 1, 2, 13, 4);
  const done: number[] = [];
  let failures = 3;
  const each = async ({ payload }: { payload: unknown }) => {
    const { amount } = payload as { amount: number };
    done.push(amount);
    if (amount === 13 && failures-- > 0) throw new Error('no');
  };
  const reaction = react(store, { ...mails, each });
  await reaction.caughtUp();
  expect(done).toEqual([1, 2, 13, 13, 13, 13, 4]);
  await reaction.stop();

  failures = 1_000;
  const retries = { attempts: 2, firstDelay: 1 };
  const other = react(store, { ...mails, name: 'other', retries, each });
  await expect(other.caughtUp()).rejects.toMatchObject({ code: 'projection_failed' });
  done.length = 0;
  const third = react(store, { ...mails, name: 'other', retries, onError: 'skip', each });
  await third.caughtUp();
  expect(done).toEqual([13, 13, 4]);
  expect(third.status().skipped).toBe(1);
  await third.stop();
});

test('stopped, it ends after the event at hand, and keeps what is done', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 1, 2, 3, 4);
  const done: number[] = [];
  let goOn = () => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const each = async ({ payload }: { payload: unknown }) => {
    const { amount } = payload as { amount: number };
    if (amount === 2) await gate;
    done.push(amount);
  };
  const first = react(store, { ...mails, each });
  await eventually(() => done.length === 1);
  const stopped = first.stop();
  goOn();
  await stopped;
  expect(done).toEqual([1, 2]);
  const second = react(store, { ...mails, each });
  await second.caughtUp();
  expect(done).toEqual([1, 2, 3, 4]);
  await second.stop();
});

test('of two, one works', async () => {
  const store = new MemoryStore();
  const done: string[] = [];
  const each = ({ id }: { id: string }) => void done.push(id);
  const both = [react(store, { ...mails, each }), react(store, { ...mails, each })];
  for (let round = 0; round < 10; round += 1) await store.deposit(1, round);
  await Promise.all(both.map((one) => one.caughtUp()));
  expect(new Set(done).size).toBe(10);
  expect(done).toHaveLength(10);
  await Promise.all(both.map((one) => one.stop()));
});

test('an event that never comes to its end is not waited for longer than the grace', async () => {
  for (const grace of [0, 20]) {
    const store = new MemoryStore();
    await store.deposit(1, 1, 2, 3);
    const begun: number[] = [];
    let fail = (_: unknown) => {};
    const hanging = new Promise<void>((_, reject) => {
      fail = reject;
    });
    const each = ({ payload }: { payload: unknown }, signal: AbortSignal) => {
      const { amount } = payload as { amount: number };
      begun.push(amount);
      if (amount !== 2) return undefined;
      signal.addEventListener('abort', () => begun.push(0));
      return hanging;
    };
    const first = react(store, { ...mails, grace, each });
    await eventually(() => begun.length === 2);
    await Promise.all([first.stop(), first.stop()]);
    expect(first.status()).toMatchObject({ state: 'stopped', error: undefined });
    // Told at once that it is to end, and none was begun after it.
    expect(begun).toEqual([1, 2, 0]);

    // At once: the lease was given back. What was done before is not done again.
    const done: number[] = [];
    const second = react(store, {
      ...mails,
      each: ({ payload }) => void done.push((payload as { amount: number }).amount),
    });
    await second.caughtUp();
    expect(done).toEqual([2, 3]);
    // Whatever becomes of it is nobody's business any more.
    fail(Object.create(null));
    await second.stop();
  }
});

test('within the grace, an event comes to its end', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 1, 2);
  let begun = 0;
  const each = async (_: unknown, signal: AbortSignal) => {
    begun += 1;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
  const first = react(store, { ...mails, grace: 3_600_000, each });
  await eventually(() => begun === 1);
  await first.stop();
  const done: number[] = [];
  const second = react(store, {
    ...mails,
    each: ({ payload }) => void done.push((payload as { amount: number }).amount),
  });
  await second.caughtUp();
  expect(done).toEqual([2]);
  await second.stop();
});

test('a store that is closed does not wait for ever either', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 1);
  let begun = 0;
  const each = () => {
    begun += 1;
    return new Promise<void>(() => {});
  };
  const reaction = react(store, { ...mails, grace: 20, each });
  await eventually(() => begun === 1);
  await store.log.close();
  expect(reaction.status().state).toBe('stopped');
});

test.each([-1, Number.NaN, 3_600_001, Number.POSITIVE_INFINITY])(
  'a grace of %d is refused',
  (grace) => {
    expect(() => react(new MemoryStore(), { ...mails, grace, each: () => {} })).toThrow(
      /^grace must be 0 to 3,600,000 milliseconds/,
    );
  },
);
