/** A command with an ID counts once, whatever happens to it and however often it is handled. */
import { expect, it } from 'vitest';
import { decider } from '../../../../src/decider/decider.ts';
import { CommandIdReused, StateLost } from '../../../../src/decider/errors.ts';
import { commandHandler } from '../../../../src/decider/handling/command-handler.ts';
import { producerOf } from '../../../../src/decider/handling/command-id.ts';
import { handle } from '../../../../src/decider/handling/handle.ts';
import type { LogName } from '../../../../src/event/log-name.ts';
import { OutcomeUnknown } from '../../../../src/event/store-errors.ts';
import { MemoryLog } from '../../../../src/stores/memory/log/memory-log.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { account, balanceIn, NotEnoughMoney } from '../bank.ts';
import { DisturbedLog } from '../disturbed-log.ts';

const DAY = 24 * 60 * 60 * 1000;
const LOG = 'account:1' as LogName;

function setup() {
  const clock = new FakeClock();
  const memory = new MemoryLog({ clock: clock.now });
  const eventLog = new DisturbedLog(memory);
  const move = (amount: number, options: Parameters<typeof handle>[3] = {}, parts?: number) =>
    handle(
      eventLog,
      account,
      // A member that is undefined is none.
      { account: '1', amount, parts: parts as number },
      {
        ...{ clock: clock.now, sleep: clock.sleep, ...options },
      },
    );
  return { clock, memory, eventLog, move };
}

const commandId = 'transfers/account:7/1526919030474-55/0';

it('answers the first events and the state now, and writes the ID into the events', async () => {
  const { memory, move } = setup();
  const first = await move(5, { commandId });
  expect(first).toMatchObject({ duplicate: false, events: [{ meta: { commandId } }] });
  await move(2);
  const again = await move(5, { commandId });
  expect(again).toMatchObject({ duplicate: true, state: { balance: 7, moves: 2 } });
  expect(again.events).toEqual(first.events);
  expect(again.version).toBe((await memory.read(LOG)).version);
  expect(await balanceIn(memory, LOG)).toEqual({ balance: 7, moves: 2 });
});

it('does so also when the command would be refused by now', async () => {
  const { move } = setup();
  await move(5);
  const first = await move(-5, { commandId });
  const again = await move(-5, { commandId });
  expect(again).toMatchObject({ duplicate: true, state: { balance: 0, moves: 2 } });
  expect(again.events).toEqual(first.events);
});

it('and when it would come to nothing by now', async () => {
  const { eventLog } = setup();
  const opening = decider({
    name: 'opening',
    initial: false,
    decide: (_command: object, isOpen) => (isOpen ? [] : { type: 'Opened', payload: 1 }),
    evolve: () => true,
  });
  const open = () => handle(eventLog, opening, {}, { to: LOG, commandId });
  const first = await open();
  expect(await open()).toMatchObject({ duplicate: true, events: first.events });
});

/** Each is another command than `{ account: '1', amount: 5 }`, and one of them comes to nothing. */
const OTHERS = [6, -5, 0, -500];

it('refuses another command under the same ID, also one that would be refused or come to nothing', async () => {
  const { clock, memory, move } = setup();
  const since = clock.now();
  const first = await move(5, { commandId });
  const { version } = await memory.read(LOG);
  for (const amount of OTHERS) {
    const refused = move(amount, { commandId });
    await expect(refused).rejects.toThrow(CommandIdReused);
    await expect(refused).rejects.toMatchObject({ code: 'command_id_reused', log: LOG, commandId });
  }
  // Also when the producer is forgotten, and the log is searched.
  clock.advance(60 * DAY);
  await expect(move(6, { commandId, since })).rejects.toThrow(CommandIdReused);
  expect((await memory.read(LOG)).version).toBe(version);
  const again = await move(5, { commandId, since });
  expect(again).toMatchObject({ duplicate: true, events: first.events });
});

it('refuses it when both come at once, from several processes or through one handler', async () => {
  const { memory, move, eventLog } = setup();
  const handler = commandHandler(eventLog, account);
  for (const [index, take] of [
    (amount: number, id: string) => move(amount, { commandId: id }),
    (amount: number, id: string) => handler.handle({ account: '1', amount }, { commandId: id }),
  ].entries()) {
    const outcomes = await Promise.allSettled([1, 2, 1, 2].map((n) => take(n, `both ${index}`)));
    const events = (await memory.read(LOG)).events.filter(
      ({ meta }) => meta?.commandId === `both ${index}`,
    );
    expect(events).toHaveLength(1);
    const { amount: taken } = events[0]!.payload as { amount: number };
    expect(outcomes.map(({ status }) => status)).toEqual(
      [1, 2, 1, 2].map((n) => (n === taken ? 'fulfilled' : 'rejected')),
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(CommandIdReused);
    }
  }
  await handler.close();
});

it('refuses the same command of another decider', async () => {
  const { eventLog, move } = setup();
  await move(5, { commandId });
  const other = decider({ ...account, name: 'other' });
  const command = { account: '1', amount: 5 };
  await expect(handle(eventLog, other, command, { commandId })).rejects.toThrow(CommandIdReused);
});

it('takes what was written before there were hashes for the same command', async () => {
  const { memory, move } = setup();
  await move(5, { commandId });
  const { events } = await memory.read(LOG);
  const { commandHash, ...old } = events[0]!.meta!;
  expect(commandHash).toMatch(/^[\w-]{22}$/);
  const before = new MemoryLog();
  const { type, payload } = events[0]!;
  await before.append(LOG, [{ type, payload, meta: old }], { producer: producerOf(commandId) });
  for (const amount of [5, 6]) {
    const command = { account: '1', amount };
    const again = await handle(before, account, command, { commandId });
    expect(again).toMatchObject({ duplicate: true, state: { balance: 5, moves: 1 } });
  }
});

it('is not taken in by an event of a client that carries the ID, or has come first under it', async () => {
  const { clock, memory, move } = setup();
  const since = clock.now();
  const forged = {
    type: 'Deposited',
    payload: { amount: 0 },
    meta: { from: 'account:1', commandId },
  };
  await memory.append(LOG, [forged]);
  clock.advance(60 * DAY);
  expect(await move(5, { commandId, since })).toMatchObject({ duplicate: false });
  await memory.append(LOG, [forged], { producer: producerOf('taken') });
  await expect(move(5, { commandId: 'taken' })).rejects.toThrow(CommandIdReused);
});

it('leaves no trace of a command that was refused or came to nothing', async () => {
  const { memory, move } = setup();
  await expect(move(-5, { commandId })).rejects.toThrow(NotEnoughMoney);
  expect(await move(0, { commandId })).toMatchObject({ duplicate: false, events: [] });
  expect(await balanceIn(memory, LOG)).toEqual({ balance: 0, moves: 0 });
  expect(await move(5, { commandId })).toMatchObject({ duplicate: false, state: { balance: 5 } });
});

it('takes other IDs and other logs for other commands', async () => {
  const { eventLog, move } = setup();
  await move(1, { commandId });
  await move(1, { commandId: `${commandId}0` });
  const elsewhere = await handle(eventLog, account, { account: '2', amount: 1 }, { commandId });
  expect(elsewhere.duplicate).toBe(false);
  expect((await move(1)).state.balance).toBe(3);
});

it('counts once when it is handled many times at once', async () => {
  const { memory, move } = setup();
  await move(10);
  const handled = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      move(-10, {
        commandId: index % 2 === 0 ? commandId : `other ${index}`,
        retries: { attempts: 50 },
      }).catch((error: Error) => error),
    ),
  );
  const applied = handled.filter((one) => !(one instanceof Error) && !one.duplicate);
  expect(applied.length).toBe(1);
  expect(await balanceIn(memory, LOG)).toEqual({ balance: 0, moves: 2 });
});

it('repeats an append by itself until its outcome is known', async () => {
  const { memory, eventLog, move } = setup();
  eventLog.lostAnswers = 3;
  expect(await move(5, { commandId })).toMatchObject({ duplicate: true, state: { balance: 5 } });
  eventLog.lostAnswers = 2;
  eventLog.happensThough = false;
  expect(await move(5, { commandId: 'another' })).toMatchObject({
    ...{ duplicate: false, state: { balance: 10 } },
  });
  expect(await balanceIn(memory, LOG)).toEqual({ balance: 10, moves: 2 });
});

it('repeats it a bounded number of times', async () => {
  const { eventLog, move } = setup();
  eventLog.lostAnswers = 100;
  await expect(move(5, { commandId, retries: { attempts: 5 } })).rejects.toThrow(OutcomeUnknown);
  expect(eventLog.appends.length).toBe(5);
  eventLog.lostAnswers = 0;
  expect(await move(5, { commandId })).toMatchObject({ duplicate: true, state: { balance: 5 } });
});

it('repeats also the question whether the log knows it', async () => {
  const { eventLog, move } = setup();
  await move(5, { commandId });
  eventLog.lostAnswers = 2;
  eventLog.happensThough = false;
  await expect(move(-9, { commandId })).rejects.toThrow(CommandIdReused);
});

it('finds it months later, when its cause is named, however much was appended since', async () => {
  const { clock, memory, eventLog, move } = setup();
  await move(1);
  const cause = clock.now();
  const first = await move(2, { commandId }, 3);
  clock.advance(1);
  for (let round = 0; round < 3; round += 1) {
    await handle(eventLog, account, { account: '1', amount: 1, parts: 900 });
  }
  clock.advance(60 * DAY);
  for (const since of [cause, first.events[0]!.id]) {
    const again = await move(2, { commandId, since }, 3);
    expect(again).toMatchObject({ duplicate: true, state: { moves: 2704 } });
    expect(again.events).toEqual(first.events);
  }
  expect(await move(1, { commandId: 'never seen', since: cause })).toMatchObject({
    duplicate: false,
  });
  expect((await balanceIn(memory, LOG)).moves).toBe(2705);
});

it('searches only where the log may have forgotten it', async () => {
  const { clock, eventLog, move } = setup();
  await move(1, { commandId });
  clock.advance(5 * DAY);
  eventLog.reads.length = 0;
  await move(1, { commandId: 'other', since: clock.now() - 5 * DAY });
  expect(eventLog.reads.length).toBe(1);
});

it('says that nobody can tell when that part of the log was trimmed', async () => {
  const { clock, memory, move } = setup();
  const { version } = await move(1, { commandId });
  await move(1);
  const since = clock.now();
  clock.advance(60 * DAY);
  await memory.trim(LOG, version);
  const handling = move(1, { commandId, since });
  await expect(handling).rejects.toThrow(StateLost);
  await expect(handling).rejects.toThrow(/whether the command was handled before/);
});
