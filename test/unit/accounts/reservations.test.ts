/** Reservations are not about email addresses, nor about accounts. */
import { expect, test } from 'vitest';
import type { OwnerHistory } from '../../../src/accounts/owner-history.ts';
import { Reservations } from '../../../src/accounts/reservations.ts';
import type { NewEvent } from '../../../src/event/event.ts';
import { parseLogName } from '../../../src/event/log-name.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../../src/stores/memory/records/memory-records.ts';

function setUp() {
  const log = new MemoryLog();
  const records = new MemoryRecords();
  let attempts = 0;
  const reservations = new Reservations({
    log,
    records,
    clock: () => 1_000,
    random: () => {
      attempts += 1;
      return `attempt-${attempts}`;
    },
    claimTime: 1_000,
    logOf: (team) => parseLogName(`team:${team}`),
    types: new Set(['NameTaken', 'NameGivenUp']),
  });
  const exchange = async (
    owner: string,
    event: NewEvent,
    values: { takes?: string; gives?: string },
    decide: (history: OwnerHistory) => NewEvent | undefined = () => event,
  ) =>
    reservations.exchange({
      owner,
      ...values,
      history: await reservations.history(owner),
      decide,
    });
  return { log, records, reservations, exchange };
}

const taken = (name: string): NewEvent => ({ type: 'NameTaken', payload: name });

test('an owner holds values of several kinds, each for itself', async () => {
  const { records, reservations, exchange } = setUp();
  expect(await exchange('a', taken('ace'), { takes: 'username:ace' })).toBe('done');
  expect(await exchange('a', taken('555'), { takes: 'phone:555' })).toBe('done');
  expect(await exchange('b', taken('ace'), { takes: 'phone:ace' })).toBe('done');
  expect(await exchange('b', taken('ace'), { takes: 'username:ace' })).toBe('taken');
  expect(await records.get('username:ace')).toBe('a');
  expect(await reservations.owner('phone:ace')).toBe('b');
  expect(await reservations.isFree('username:ace')).toBe(false);
  expect(await reservations.isFree('username:b')).toBe(true);
});

test('the event carries the attempt, what it takes and what it gives, beside its own meta', async () => {
  const { log, exchange } = setUp();
  await exchange('a', taken('ace'), { takes: 'username:ace' });
  const change = { ...taken('bob'), meta: { by: 'test' } };
  await exchange('a', change, { takes: 'username:bob', gives: 'username:ace' });
  const { events } = await log.read(parseLogName('team:a'));
  const reservation = { attempt: 'attempt-2', takes: 'username:bob', gives: 'username:ace' };
  expect(events[1]?.meta).toEqual({ by: 'test', reservation });
});

test('what is not decided upon takes nothing and gives nothing up', async () => {
  const { log, records, exchange } = setUp();
  await exchange('a', taken('ace'), { takes: 'username:ace' });
  const kept = records.size;
  const values = { takes: 'username:bob', gives: 'username:ace' };
  expect(await exchange('a', taken('bob'), values, () => undefined)).toBe('again');
  expect((await log.read(parseLogName('team:a'))).events).toHaveLength(1);
  expect(records.size).toBe(kept);
  expect(await records.get('username:ace')).toBe('a');
});

test('something else in the place of a reservation is left alone', async () => {
  const { records, exchange } = setUp();
  for (const text of ['x', '{}', '{"owner":"a","attempt":"1","state":"held","more":1}']) {
    const value = `username:${text.length}`;
    await records.compareAndSet(`{${value}}:reservation`, null, text);
    const exchanged = exchange('a', taken('ace'), { takes: value });
    await expect(exchanged).rejects.toMatchObject({ code: 'wrong_type' });
    expect(await records.get(`{${value}}:reservation`)).toBe(text);
  }
});
