import { expect, test } from 'vitest';
import { decider } from '../../../src/decider/decider.ts';
import { parseLogName } from '../../../src/event/log-name.ts';
import { processManager } from '../../../src/process-manager/process-manager.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryWorkQueues } from '../../../src/stores/memory/work-queues/memory-work-queues.ts';
import { defineEvents } from '../../../src/typed/define-events.ts';
import { type } from '../../../src/typed/standard-schema.ts';

const bank = defineEvents(
  {
    TransferRequested: type<{ to: string; amount: number }>(),
    Deposited: type<{ amount: number }>(),
    TransferFailed: type<{ reason: string }>(),
  },
  { unknown: 'ignore' },
);

type Command = { account: string; does: 'deposit' | 'fail'; amount?: number; reason?: string };

const account = decider({
  name: 'account',
  events: bank,
  initial: { isClosed: false },
  log: (command: Command) => `account:${command.account}`,
  decide({ account, does, amount = 0, reason = '' }: Command) {
    if (account === 'closed') throw new Error('it is closed');
    return does === 'deposit'
      ? bank.create('Deposited', { amount })
      : bank.create('TransferFailed', { reason });
  },
  evolve: (state) => state,
});

function newStore() {
  const log = new MemoryLog();
  return { log, workQueues: new MemoryWorkQueues(log) };
}

const from = parseLogName('account:from');

test('sends commands once, though the event is handed over again, and says what caused them', async () => {
  const store = newStore();
  let failures = 1;
  const manager = await processManager(store, {
    name: 'transfers',
    events: bank,
    retries: { firstDelay: 1 },
    on: {
      async TransferRequested(event, send) {
        const { to, amount } = event.payload;
        await send(account, { account: to, does: 'deposit', amount });
        if (failures-- > 0) throw new Error('after the first command');
        await send(account, { account: to, does: 'deposit', amount: 1 });
      },
    },
  });
  const { ids } = await store.log.append(from, [
    { ...bank.create('TransferRequested', { to: 'b', amount: 5 }), meta: { correlationId: 'c-1' } },
    { type: 'SomethingElse', payload: '' },
  ]);
  await manager.drain();
  const { events } = await store.log.read(parseLogName('account:b'));
  expect(events.map(({ payload }) => payload)).toEqual([{ amount: 5 }, { amount: 1 }]);
  for (const { meta } of events) {
    expect(meta).toMatchObject({ correlationId: 'c-1', causationId: `${from}/${ids[0]}` });
  }
  expect(await manager.deadLetters()).toEqual([]);
  await manager.stop();
});

test('hands a refusal to the reaction, which can answer it', async () => {
  const store = newStore();
  const manager = await processManager(store, {
    name: 'transfers',
    events: bank,
    category: 'account',
    on: {
      async TransferRequested(event, send) {
        const { to, amount } = event.payload;
        try {
          await send(account, { account: to, does: 'deposit', amount });
        } catch (error) {
          const reason = (error as Error).message;
          await send(account, { account: 'from', does: 'fail', reason });
        }
      },
    },
  });
  await store.log.append(from, [bank.create('TransferRequested', { to: 'closed', amount: 5 })]);
  await manager.drain();
  const { events } = await store.log.read(from);
  expect(events.map(({ payload }) => payload)).toEqual([
    { to: 'closed', amount: 5 },
    { reason: 'it is closed' },
  ]);
  await manager.stop();
});

test.each([
  ['too long', 'x'.repeat(16_000)],
  ['no text', { a: ['x'.repeat(16_000)] }],
])(
  'a correlation that a client made up and that is %s stops nothing',
  async (_what, correlationId) => {
    const store = newStore();
    const manager = await processManager(store, {
      name: 'transfers',
      events: bank,
      retries: { attempts: 1 },
      on: {
        async TransferRequested({ payload: { to, amount } }, send) {
          await send(account, { account: to, does: 'deposit', amount });
          throw new Error('so that there is a dead letter, too');
        },
      },
    });
    const request = bank.create('TransferRequested', { to: 'b', amount: 5 });
    const { ids } = await store.log.append(from, [{ ...request, meta: { correlationId } }]);
    await manager.drain();
    const cause = `${from}/${ids[0]}`;
    const { events } = await store.log.read(parseLogName('account:b'));
    expect(events[0]?.meta).toMatchObject({ correlationId: cause, causationId: cause });
    expect(await manager.deadLetters()).toMatchObject([
      { id: ids[0], error: 'so that there is a dead letter, too' },
    ]);
    await manager.stop();
  },
);

test('refuses reactions that are none', async () => {
  const name = 'transfers';
  await expect(processManager(newStore(), { name, on: {} })).rejects.toMatchObject({ field: 'on' });
  const on = { Deposited: 5 as never };
  await expect(processManager(newStore(), { name, on })).rejects.toMatchObject({
    field: 'on.Deposited',
  });
});
