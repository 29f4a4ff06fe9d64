import { expect, it } from 'vitest';
import { z } from 'zod';
import { ZERO_ID } from '../../../src/event/event-id.ts';
import { createLive } from '../../../src/live/create-live.ts';
import { typedLog } from '../../../src/live/typed-log.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { defineEvents } from '../../../src/typed/define-events.ts';
import { randomLog } from '../../support/names.ts';

const schema = { Deposited: z.object({ amount: z.number() }) };
const bank = defineEvents(schema);

it('appends one or several, checked, and reads them back', async () => {
  const accounts = typedLog(new MemoryLog(), bank);
  const log = randomLog();
  const { version } = await accounts.append(log, bank.create('Deposited', { amount: 1 }));
  const { ids } = await accounts.append(
    log,
    [2, 3].map((amount) => bank.create('Deposited', { amount }, { from: 'han' })),
    { expected: version },
  );
  const page = await accounts.read(log, { after: version });
  expect(page.events).toEqual(
    [2, 3].map((amount, index) => ({
      ...{ type: 'Deposited', payload: { amount }, meta: { from: 'han' } },
      ...{ id: ids[index], log, at: expect.any(Number) },
    })),
  );
  expect(page).toMatchObject({ version: ids[1], next: ids[1], more: false });
});

it('appends nothing of it when one is wrong, or the log is none', async () => {
  const memory = new MemoryLog();
  const accounts = typedLog(memory, bank);
  const log = randomLog();
  const events = [bank.create('Deposited', { amount: 1 }), { type: 'Deposited', payload: {} }];
  await expect(accounts.append(log, events as never)).rejects.toThrow(/payload.amount is refused/);
  await expect(accounts.append('x', [])).rejects.toThrow('log must be category:id');
  await expect(accounts.read('x')).rejects.toThrow('log must be category:id');
  expect((await memory.read(log)).version).toBe(ZERO_ID);
});

it('pages over what it ignores, in both directions', async () => {
  const memory = new MemoryLog();
  const accounts = typedLog(memory, defineEvents(schema, { unknown: 'ignore' }));
  const log = randomLog();
  for (let index = 0; index < 9; index += 1) {
    const type = index % 3 === 0 ? 'Deposited' : 'Noted';
    await memory.append(log, [{ type, payload: { amount: index } }]);
  }
  const amounts: number[] = [];
  for (let after = ZERO_ID, more = true; more; ) {
    const page = await accounts.read(log, { after, limit: 2 });
    amounts.push(...page.events.map(({ payload }) => payload.amount));
    ({ next: after, more } = page);
  }
  expect(amounts).toEqual([0, 3, 6]);
  const last = await accounts.read(log, { limit: 1, reverse: true });
  expect(last.events).toEqual([]);
  const before = await accounts.read(log, { limit: 2, reverse: true, before: last.next });
  expect(before.events.map(({ payload }) => payload.amount)).toEqual([6]);
  expect((await accounts.read(log, { limit: 0 })).next).toBe(ZERO_ID);
});

it('subscribes: events in their shape, and what else there is to tell', async () => {
  const memory = new MemoryLog();
  const live = createLive({ log: memory });
  const accounts = typedLog(memory, defineEvents(schema, { unknown: 'ignore' }));
  const log = randomLog();
  await memory.append(log, [{ type: 'Noted', payload: 'x' }]);
  const told: unknown[] = [];
  for await (const delivery of accounts.subscribe(live, log, { after: ZERO_ID })) {
    told.push(delivery.kind === 'event' ? delivery.event.payload.amount : delivery.kind);
    if (delivery.kind === 'live') {
      await accounts.append(log, bank.create('Deposited', { amount: 7 }));
    }
    if (delivery.kind === 'event') break;
  }
  expect(told).toEqual(['live', 7]);
  live.close();
});
