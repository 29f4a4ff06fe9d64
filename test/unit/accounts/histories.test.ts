/** Accounts with long logs: a record remembers what they came to, and the log decides all the same. */
import { describe, expect, test } from 'vitest';
import { type Accounts, createAccounts } from '../../../src/accounts/accounts.ts';
import type { EventId } from '../../../src/event/event-id.ts';
import { accountLog } from '../../../src/event/log-name.ts';
import { OutcomeUnknown, Unavailable, WrongType } from '../../../src/event/store-errors.ts';
import type { EventLog, Page, ReadOptions } from '../../../src/log/log.ts';
import type { Records } from '../../../src/records/records.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../../src/stores/memory/records/memory-records.ts';

const LOG = accountLog('1');
const KEY = '{account:1:log}:history';
const EVERY = 10;
/** Of each look: a first page, and what came since the record. */
const FEW = 3 * EVERY;

function store() {
  const log = new MemoryLog();
  const records = new MemoryRecords();
  let [reads, events] = [0, 0];
  let hold: Promise<void> | undefined;
  const counting = new Proxy(log as EventLog, {
    get(_, name) {
      if (name !== 'read') return Reflect.get(log, name).bind(log);
      return async (...asked: [typeof LOG, ReadOptions]): Promise<Page> => {
        reads += 1;
        const page = await log.read(...asked);
        events += page.events.length;
        await hold;
        return page;
      };
    },
  });
  return {
    ...{ log, records },
    /** Other processes. */
    accounts: (over: Partial<Records> = {}): Accounts =>
      createAccounts({
        log: counting,
        records: withMethods(records, over),
        rememberEvery: EVERY,
        sweepInterval: 0,
      }),
    write: (count: number) =>
      log.append(
        LOG,
        Array.from({ length: count }, (_, number) => ({ type: 'Clicked', payload: { number } })),
      ),
    /** How much of the log has been read since this was asked last. */
    cost: () => {
      const cost = { reads, events };
      [reads, events] = [0, 0];
      return cost;
    },
    /** Reads take until this is called. */
    holdReads: () => {
      let release = () => {};
      hold = new Promise((resolve) => {
        release = () => {
          hold = undefined;
          resolve();
        };
      });
      return () => release();
    },
  };
}

function withMethods<Target extends object>(target: Target, over: Partial<Target>): Target {
  return new Proxy(target, {
    get(_, name) {
      const method = Reflect.get(over, name) ?? (Reflect.get(target, name) as () => unknown);
      return typeof method === 'function' ? method.bind(target) : method;
    },
  });
}

async function registered() {
  const s = store();
  const accounts = s.accounts();
  await accounts.register({ email: 'han@example.org', cargo: 'x'.repeat(10_000) });
  return { ...s, first: accounts };
}

const HAN = { id: '1', email: 'han@example.org', status: 'open' };

describe('looking at an account', () => {
  test('with a short log reads that, and leaves no record', async () => {
    const s = await registered();
    await s.write(EVERY - 1);
    s.cost();
    expect(await s.first.get('1')).toEqual(HAN);
    expect(s.cost()).toEqual({ reads: 1, events: EVERY });
    expect(await s.records.get(KEY)).toBeNull();
  });

  test('with a long log reads it once, and from then on what is new', async () => {
    const s = await registered();
    for (let round = 0; round < 5; round += 1) await s.write(1_000);
    s.cost();
    expect(await s.first.get('1')).toEqual(HAN);
    expect(s.cost().events).toBeGreaterThan(5_000);
    // Also in another process, or after a restart.
    for (const accounts of [s.first, s.accounts()]) {
      expect(await accounts.get('1')).toEqual(HAN);
      expect(s.cost()).toEqual({ reads: 2, events: EVERY });
    }
    await s.write(EVERY);
    await s.first.get('1');
    expect(s.cost().events).toBeLessThanOrEqual(FEW);
    await s.write(1);
    await s.first.get('1');
    expect(s.cost()).toEqual({ reads: 2, events: EVERY + 1 });
    // What an account is not made of is not remembered.
    expect((await s.records.get(KEY))?.length).toBeLessThan(500);
  });

  test('50 times at once reads it once', async () => {
    const s = await registered();
    await s.write(1_000);
    s.cost();
    const all = await Promise.all(Array.from({ length: 50 }, () => s.first.get('1')));
    expect(all).toEqual(Array(50).fill(HAN));
    const { reads, events } = s.cost();
    expect(events).toBeLessThan(2 * 1_000);
    expect(reads).toBeLessThan(4 + 50);
    await Promise.all(Array.from({ length: 50 }, () => s.accounts().get('1')));
    expect(s.cost().events).toBeLessThanOrEqual(50 * FEW);
  });

  test('sees what was done before it was asked, although others were asked before', async () => {
    const s = await registered();
    await s.write(100);
    const release = s.holdReads();
    const early = s.first.get('1');
    await s.log.append(LOG, [
      { type: 'EmailChanged', payload: { email: 'solo@example.org', previous: HAN.email } },
    ]);
    const late = s.first.get('1');
    release();
    expect((await early)?.email).toMatch(/^(han|solo)@example.org$/);
    expect((await late)?.email).toBe('solo@example.org');
  });

  test('finds the address, changes it and closes the account by the same history', async () => {
    const s = await registered();
    await s.write(100);
    await s.first.get('1');
    const accounts = s.accounts();
    expect(await accounts.findByEmail('han@example.org')).toEqual(HAN);
    await accounts.changeEmail('1', 'solo@example.org');
    await s.write(100);
    expect(await accounts.findByEmail('solo@example.org')).toMatchObject({ id: '1' });
    expect(await accounts.findByEmail('han@example.org')).toBeUndefined();
    s.cost();
    await s.accounts().close('1');
    expect(s.cost().events).toBeLessThanOrEqual(2 * FEW);
    await s.write(100);
    for (let time = 0; time < 2; time += 1) {
      expect(await s.accounts().get('1')).toMatchObject({ status: 'closed' });
    }
    const again = s.accounts().register({ email: 'solo@example.org' });
    expect((await again).id).toBe('2');
  });

  test('knows who was registered also when that was trimmed away', async () => {
    const s = await registered();
    const { ids } = await s.write(100);
    await s.first.get('1');
    await s.log.trim(LOG, ids[89]!);
    expect(await s.accounts().get('1')).toEqual(HAN);
    await s.log.trim(LOG, ids[99]!);
    expect(await s.accounts().get('1')).toEqual(HAN);
  });
});

describe('a record that is not right', () => {
  const spoilt: readonly string[] = [
    '',
    'no JSON',
    'null',
    '[]',
    '{}',
    '{"version":"x","facts":[]}',
    '{"version":"5-0","facts":{}}',
    '{"version":"5-0","facts":[null]}',
    '{"version":"5-0","facts":[{"id":"5-0","type":5,"payload":1}]}',
    // Of a log that went on from somewhere else.
    '{"version":"9999999999999-0","facts":[]}',
    '{"version":"1-0","facts":[{"id":"1-0","type":"AccountClosed","payload":{}}]}',
  ];

  test.each(spoilt)('as %j counts for nothing, and is written anew', async (text) => {
    const s = await registered();
    await s.write(100);
    await s.records.compareAndSet(KEY, null, text);
    expect(await s.accounts().get('1')).toEqual(HAN);
    s.cost();
    expect(await s.accounts().get('1')).toEqual(HAN);
    expect(s.cost().events).toBeLessThanOrEqual(FEW);
  });

  test.each([
    ['is of another type', () => new WrongType(KEY)],
    ['cannot be had', () => new Unavailable('away')],
  ])('as it %s keeps nobody from the log', async (_, error) => {
    const s = await registered();
    await s.write(100);
    const fail = async () => {
      throw error();
    };
    const get = (key: string) => (key === KEY ? fail() : s.records.get(key));
    expect(await s.accounts({ get }).get('1')).toEqual(HAN);
    expect(await s.accounts({ compareAndSet: fail }).get('1')).toEqual(HAN);
  });

  test('as it was written without an answer, or late, does no harm', async () => {
    const s = await registered();
    await s.write(100);
    let late: (() => Promise<unknown>) | undefined;
    const compareAndSet: Records['compareAndSet'] = async (...asked) => {
      late = () => s.records.compareAndSet(...asked);
      throw new OutcomeUnknown('no answer');
    };
    expect(await s.accounts({ compareAndSet }).get('1')).toEqual(HAN);
    await s.first.changeEmail('1', 'solo@example.org');
    await s.write(100);
    expect(await s.accounts().get('1')).toMatchObject({ email: 'solo@example.org' });
    await late?.();
    expect(await s.accounts().get('1')).toMatchObject({ email: 'solo@example.org' });
  });

  test('as the log has lost what it knows is not believed', async () => {
    const s = await registered();
    await s.write(100);
    await s.first.changeEmail('1', 'solo@example.org');
    await s.write(100);
    await s.first.get('1');
    const { events } = await s.log.read(LOG, { limit: 1_000 });
    // What is left after a store that was put back to an earlier state.
    const earlier = new MemoryLog();
    const kept = events.filter(({ type }) => type !== 'EmailChanged');
    const lost = new Proxy(earlier as EventLog, {
      get: (_, name) =>
        name === 'read'
          ? async (_log: unknown, { after = '0-0' as EventId, limit = 100 }: ReadOptions) => {
              const version = kept[50]!.id;
              const known = after === '0-0' || kept.slice(0, 51).some(({ id }) => id === after);
              const rest = kept.slice(0, 51).filter(({ id }) => !known || id > after);
              return {
                events: rest.slice(0, limit),
                more: rest.length > limit,
                version,
                standing: known ? { state: 'whole' } : { state: 'reset', version },
              };
            }
          : Reflect.get(earlier, name).bind(earlier),
    });
    const accounts = () =>
      createAccounts({
        ...{ log: lost, records: s.records, rememberEvery: EVERY, sweepInterval: 0 },
      });
    expect(await accounts().get('1')).toEqual(HAN);
    expect(await accounts().get('1')).toEqual(HAN);
    expect(JSON.parse((await s.records.get(KEY))!).version).toBe(kept[50]!.id);
  });
});

test.each([0, -1, 1.5, 10_001])('to remember every %d events is refused', (rememberEvery) => {
  const options = { log: new MemoryLog(), records: new MemoryRecords(), sweepInterval: 0 };
  expect(() => createAccounts({ ...options, rememberEvery })).toThrow(
    /^rememberEvery must be a whole number from 1 to 10,000/,
  );
});
