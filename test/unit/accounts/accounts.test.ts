import { describe, expect, test } from 'vitest';
import { createAccounts } from '../../../src/accounts/accounts.ts';
import { accountLog } from '../../../src/event/log-name.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../../src/stores/memory/records/memory-records.ts';
import { eventually } from '../../support/eventually.ts';

function setUp() {
  const log = new MemoryLog();
  const records = new MemoryRecords();
  const clock = { now: 1_000_000 };
  const accounts = createAccounts({ log, records, clock: () => clock.now, sweepInterval: 0 });
  const events = async (id: string) => (await log.read(accountLog(id))).events;
  return { log, records, clock, accounts, events };
}

describe('registration', () => {
  test('makes an account with the next ID, an event and a key', async () => {
    const { accounts, events, records } = setUp();
    const account = await accounts.register({ email: 'Han@Example.org', name: 'Han Solo' });
    expect(account).toEqual({ id: '1', email: 'Han@Example.org', status: 'open' });
    const [registered, ...rest] = await events('1');
    expect(registered).toMatchObject({
      type: 'AccountRegistered',
      payload: { email: 'Han@Example.org', name: 'Han Solo' },
    });
    expect(rest).toEqual([]);
    expect(await records.get('email:han@example.org')).toBe('1');
    expect((await accounts.register({ email: 'leia@example.org' })).id).toBe('2');
  });

  test('refuses an address that is taken, however it is written, and does not say by whom', async () => {
    const { accounts, records } = setUp();
    await accounts.register({ email: 'h\u00e4n@example.org' });
    const again = accounts.register({ email: 'HA\u0308N@EXAMPLE.ORG' });
    await expect(again).rejects.toMatchObject({ code: 'address_taken' });
    await again.catch((error: Error) => expect(error.message).not.toMatch(/\d/));
    expect(await records.get('account_id')).toBe('1');
  });

  test('respects a key that others wrote', async () => {
    const { accounts, records } = setUp();
    await records.compareAndSet('email:han@example.org', null, '7');
    const registered = accounts.register({ email: 'han@example.org' });
    await expect(registered).rejects.toMatchObject({ code: 'address_taken' });
  });

  test('refuses what is no address, and changes nothing', async () => {
    const { accounts, records } = setUp();
    const registered = accounts.register({ email: 'han' });
    await expect(registered).rejects.toMatchObject({ code: 'invalid_email', field: 'email' });
    expect(records.size).toBe(0);
  });

  test('passes over logs that somebody wrote to before', async () => {
    const { accounts, log } = setUp();
    for (const id of ['1', '2', '4']) {
      await log.append(accountLog(id), [{ type: 'Greeted', payload: 'hi' }]);
    }
    expect((await accounts.register({ email: 'han@example.org' })).id).toBe('3');
    expect((await accounts.register({ email: 'leia@example.org' })).id).toBe('5');
  });

  test('of too much is refused, and leaves the address free', async () => {
    const { accounts, records } = setUp();
    const registered = accounts.register({ email: 'han@example.org', cargo: 'x'.repeat(2 ** 21) });
    await expect(registered).rejects.toMatchObject({ code: 'too_large' });
    expect(records.size).toBe(1); // the sequence
    await accounts.register({ email: 'han@example.org' });
  });

  test('with a number that JSON has no word for is refused, and leaves the address free', async () => {
    const { accounts, records, events } = setUp();
    const registered = accounts.register({ email: 'han@example.org', age: JSON.parse('1e400') });
    await expect(registered).rejects.toMatchObject({ code: 'invalid_event' });
    expect([records.size, await events('1')]).toEqual([1, []]); // the sequence
    await accounts.register({ email: 'han@example.org', age: 32 });
  });

  test('lets one of many have the address', async () => {
    const { accounts } = setUp();
    const all = await Promise.allSettled(
      Array.from({ length: 10 }, () => accounts.register({ email: 'han@example.org' })),
    );
    const won = all.filter(({ status }) => status === 'fulfilled');
    expect(won).toHaveLength(1);
  });
});

describe('a change of the address', () => {
  test('takes the new one and frees the old one', async () => {
    const { accounts, records, events } = setUp();
    await accounts.register({ email: 'han@example.org' });
    const changed = await accounts.changeEmail('1', 'Solo@example.org');
    expect(changed).toEqual({ id: '1', email: 'Solo@example.org', status: 'open' });
    expect((await events('1'))[1]).toMatchObject({
      type: 'EmailChanged',
      payload: { email: 'Solo@example.org', previous: 'han@example.org' },
    });
    expect(await records.get('email:solo@example.org')).toBe('1');
    expect(await records.get('email:han@example.org')).toBeNull();
    expect((await accounts.register({ email: 'han@example.org' })).id).toBe('2');
  });

  test('may only write it otherwise', async () => {
    const { accounts, records } = setUp();
    await accounts.register({ email: 'han@example.org' });
    await accounts.changeEmail('1', 'Han@Example.org');
    expect((await accounts.get('1'))?.email).toBe('Han@Example.org');
    expect(await records.get('email:han@example.org')).toBe('1');
  });

  test('is refused for an address that is taken, and can be repeated with another one', async () => {
    const { accounts } = setUp();
    await accounts.register({ email: 'han@example.org' });
    await accounts.register({ email: 'leia@example.org' });
    const changed = accounts.changeEmail('1', 'leia@example.org');
    await expect(changed).rejects.toMatchObject({ code: 'address_taken' });
    await accounts.changeEmail('1', 'solo@example.org');
    expect((await accounts.findByEmail('solo@example.org'))?.id).toBe('1');
  });

  test('and back again works', async () => {
    const { accounts } = setUp();
    await accounts.register({ email: 'han@example.org' });
    await accounts.changeEmail('1', 'solo@example.org');
    await accounts.changeEmail('1', 'han@example.org');
    expect((await accounts.findByEmail('han@example.org'))?.id).toBe('1');
    expect(await accounts.findByEmail('solo@example.org')).toBeUndefined();
  });

  test('goes through although the log is written to all the time', async () => {
    const { accounts, log } = setUp();
    await accounts.register({ email: 'han@example.org' });
    const append = log.append.bind(log);
    let disturbances = 5;
    log.append = async (name, newEvents, options) => {
      if (disturbances > 0) {
        disturbances -= 1;
        await append(name, [{ type: 'Greeted', payload: 'hi' }]);
      }
      return append(name, newEvents, options);
    };
    await accounts.changeEmail('1', 'solo@example.org');
    expect((await accounts.findByEmail('solo@example.org'))?.id).toBe('1');
  });
});

describe('closing', () => {
  test('frees the address for good', async () => {
    const { accounts, records, events } = setUp();
    await accounts.register({ email: 'han@example.org' });
    expect(await accounts.close('1')).toMatchObject({ id: '1', status: 'closed' });
    expect((await events('1'))[1]).toMatchObject({ type: 'AccountClosed' });
    expect(await records.get('email:han@example.org')).toBeNull();
    expect(await accounts.findByEmail('han@example.org')).toBeUndefined();
    expect((await accounts.get('1'))?.status).toBe('closed');
    const closed = { code: 'account_closed' };
    await expect(accounts.close('1')).rejects.toMatchObject(closed);
    await expect(accounts.changeEmail('1', 'x@example.org')).rejects.toMatchObject(closed);
    await accounts.register({ email: 'han@example.org' });
  });
});

describe('accounts', () => {
  test('that do not exist are not found', async () => {
    const { accounts } = setUp();
    const missing = { code: 'account_not_found' };
    expect(await accounts.get('9')).toBeUndefined();
    expect(await accounts.findByEmail('han@example.org')).toBeUndefined();
    await expect(accounts.close('9')).rejects.toMatchObject(missing);
    await expect(accounts.changeEmail('9', 'x@example.org')).rejects.toMatchObject(missing);
    await expect(accounts.get('a b')).rejects.toMatchObject({ code: 'invalid_account' });
  });

  test('are not made or unmade by what clients send', async () => {
    const { accounts, log } = setUp();
    await accounts.register({ email: 'han@example.org' });
    const meta = { from: 'account:1' };
    const forged = [
      { type: 'EmailChanged', payload: { email: 'leia@example.org' }, meta },
      { type: 'AccountClosed', payload: {}, meta },
    ];
    await log.append(accountLog('1'), forged);
    expect(await accounts.get('1')).toMatchObject({ email: 'han@example.org', status: 'open' });
  });

  test('of others, without reservations, can be changed and closed', async () => {
    const { accounts, log } = setUp();
    for (const [id, email] of [
      ['7', 'han@example.org'],
      ['8', 'no address'],
    ] as const) {
      await log.append(accountLog(id), [{ type: 'AccountRegistered', payload: { email } }]);
    }
    await accounts.changeEmail('7', 'solo@example.org');
    expect((await accounts.findByEmail('solo@example.org'))?.id).toBe('7');
    await accounts.close('8');
    expect((await accounts.get('8'))?.status).toBe('closed');
  });

  test('sweep by themselves', async () => {
    const { log, records, clock } = setUp();
    const options = { log, records, clock: () => clock.now };
    const stuck = createAccounts({ ...options, sweepInterval: 0 });
    const append = log.append.bind(log);
    const crashed = new Promise<void>((resolve) => {
      log.append = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    void stuck.register({ email: 'han@example.org' });
    await crashed;
    log.append = append;
    clock.now += 60_000;
    const sweeping = createAccounts({ ...options, sweepInterval: 5 });
    await eventually(async () => {
      expect(await records.get('{email:han@example.org}:reservation')).toBeNull();
    });
    sweeping.stop();
  });
});

describe('an account of the time when domains were folded like names', () => {
  const NOW = 'han@stra\u00dfe.example';
  const NOW_KEY = 'email:han@xn--strae-oqa.example';
  const OLD_KEY = 'email:han@strasse.example';

  /** As it was registered then: its address is reserved as `han@strasse.example`. */
  async function setUpFormer() {
    const world = setUp();
    const { log, records } = world;
    const reservation = { attempt: 'then', takes: OLD_KEY };
    await log.append(accountLog('1'), [
      { type: 'AccountRegistered', payload: { email: NOW }, meta: { reservation } },
    ]);
    const held = JSON.stringify({ owner: '1', attempt: 'then', state: 'held' });
    await records.compareAndSet(`{${OLD_KEY}}:reservation`, null, held);
    await records.compareAndSet(OLD_KEY, null, '1');
    await records.increment('account_id');
    return world;
  }

  test('is found, and keeps its address to itself', async () => {
    const { accounts, records } = await setUpFormer();
    expect(await accounts.findByEmail(NOW)).toMatchObject({ id: '1', email: NOW });
    const taken = { code: 'address_taken' };
    await expect(accounts.register({ email: NOW })).rejects.toMatchObject(taken);
    await accounts.register({ email: 'leia@example.org' });
    await expect(accounts.changeEmail('2', NOW)).rejects.toMatchObject(taken);
    expect(await records.get(NOW_KEY)).toBeNull();
  });

  test('gives up what it holds when it gets another address or is closed', async () => {
    for (const end of ['changeEmail', 'close'] as const) {
      const { accounts, records } = await setUpFormer();
      if (end === 'close') await accounts.close('1');
      else await accounts.changeEmail('1', 'han@example.org');
      expect(await records.get(OLD_KEY)).toBeNull();
      for (const email of [NOW, 'han@strasse.example']) await accounts.register({ email });
      expect(await records.get(NOW_KEY)).toBe('2');
      expect(await records.get(OLD_KEY)).toBe('3');
    }
  });

  test('holds its address by the rule of now once it says it again', async () => {
    const { accounts, records } = await setUpFormer();
    expect(await accounts.changeEmail('1', NOW)).toMatchObject({ email: NOW });
    expect([await records.get(NOW_KEY), await records.get(OLD_KEY)]).toEqual(['1', null]);
    expect(await accounts.findByEmail('han@xn--strae-oqa.example')).toMatchObject({ id: '1' });
    expect((await accounts.register({ email: 'han@strasse.example' })).id).toBe('2');
  });

  test('does not stand in the way of who has the other domain now', async () => {
    const { accounts } = setUp();
    await accounts.register({ email: 'han@strasse.example' });
    expect((await accounts.register({ email: NOW })).id).toBe('2');
    const ascii = accounts.register({ email: 'Han@XN--strae-oqa.example' });
    await expect(ascii).rejects.toMatchObject({ code: 'address_taken' });
    expect(await accounts.findByEmail('han@strasse.example')).toMatchObject({ id: '1' });
    expect(await accounts.findByEmail(NOW)).toMatchObject({ id: '2' });
  });
});
