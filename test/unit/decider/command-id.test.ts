/** A command with an ID counts once, whatever happens to it and however often it is handled. */
import { expect, it } from 'vitest';
import { StateLost } from '../../../src/decider/errors.ts';
import { handle } from '../../../src/decider/handle.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import { OutcomeUnknown } from '../../../src/log/errors.ts';
import { MemoryLog } from '../../../src/log/memory/memory-log.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { account, balanceIn, NotEnoughMoney } from './bank.ts';
import { DisturbedLog } from './disturbed-log.ts';

const DAY = 24 * 60 * 60 * 1000;
const LOG = 'account:1' as LogName;

function setup() {
  const clock = new FakeClock();
  const memory = new MemoryLog({ clock: clock.now });
  const eventLog = new DisturbedLog(memory);
  const move = (amount: number, options: Parameters<typeof handle>[3] = {}) =>
    handle(
      eventLog,
      account,
      { account: '1', amount },
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

it('does so also when the command would be refused by now, or come to nothing', async () => {
  const { move } = setup();
  await move(5);
  const first = await move(-5, { commandId });
  for (const amount of [-5, 0]) {
    const again = await move(amount, { commandId });
    expect(again).toMatchObject({ duplicate: true, state: { balance: 0, moves: 2 } });
    expect(again.events).toEqual(first.events);
  }
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
      move(-10, { commandId: index % 2 === 0 ? commandId : `other ${index}`, retries: 50 }).catch(
        (error: Error) => error,
      ),
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
  await expect(move(5, { commandId, retries: 4 })).rejects.toThrow(OutcomeUnknown);
  expect(eventLog.appends.length).toBe(5);
  eventLog.lostAnswers = 0;
  expect(await move(5, { commandId })).toMatchObject({ duplicate: true, state: { balance: 5 } });
});

it('repeats also the question whether the log knows it', async () => {
  const { eventLog, move } = setup();
  await move(5, { commandId });
  eventLog.lostAnswers = 2;
  eventLog.happensThough = false;
  expect(await move(-9, { commandId })).toMatchObject({ duplicate: true });
});

it('finds it months later, when its cause is named, however much was appended since', async () => {
  const { clock, memory, eventLog, move } = setup();
  await move(1);
  const cause = clock.now();
  const first = await handle(
    ...([eventLog, account, { account: '1', amount: 2, parts: 3 }, { commandId }] as const),
  );
  clock.advance(1);
  for (let round = 0; round < 3; round += 1) {
    await handle(eventLog, account, { account: '1', amount: 1, parts: 900 });
  }
  clock.advance(60 * DAY);
  for (const since of [cause, first.events[0]!.id]) {
    const again = await move(2, { commandId, since });
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
