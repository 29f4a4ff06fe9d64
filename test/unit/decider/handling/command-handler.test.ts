import { describe, expect, it } from 'vitest';
import { decider } from '../../../../src/decider/decider.ts';
import { QueueFull, TooManyConflicts } from '../../../../src/decider/errors.ts';
import {
  type CommandHandlerOptions,
  commandHandler,
} from '../../../../src/decider/handling/command-handler.ts';
import { InvalidInput } from '../../../../src/event/error.ts';
import type { LogName } from '../../../../src/event/log-name.ts';
import { Closed, OutcomeUnknown } from '../../../../src/event/store-errors.ts';
import { MemoryLog, type MemoryLogOptions } from '../../../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../../../src/stores/memory/records/memory-records.ts';
import { eventually } from '../../../support/eventually.ts';
import { account, balanceIn, bank, NotEnoughMoney } from '../bank.ts';
import { DisturbedLog } from '../disturbed-log.ts';

const LOG = 'account:1' as LogName;

function setup(options: CommandHandlerOptions = {}, logOptions: MemoryLogOptions = {}) {
  const memory = new MemoryLog(logOptions);
  const eventLog = new DisturbedLog(memory);
  const handler = commandHandler(eventLog, account, { sleep: async () => {}, ...options });
  const move = (amount: number, more: Parameters<typeof handler.handle>[1] = {}, parts = 1) =>
    handler.handle({ account: '1', amount, parts }, more);
  const deposit = (amount: number) => memory.append(LOG, [bank.create('Deposited', { amount })]);
  /** How many events each append had. */
  const sizes = () => eventLog.appends.map(([, events]) => events.length);
  return { memory, eventLog, handler, move, deposit, sizes };
}

it('appends commands that wait together as one, and answers each with its own', async () => {
  const { memory, move, sizes } = setup();
  const handled = await Promise.all([move(5), move(3), move(0), move(-2, {}, 2)]);
  expect(sizes()).toEqual([4]);
  const { events } = await memory.read(LOG);
  expect(handled.map(({ state, version }) => [state.balance, version])).toEqual([
    [5, events[0]!.id],
    [8, events[1]!.id],
    [8, events[1]!.id],
    [4, events[3]!.id],
  ]);
  expect(handled.map(({ events }) => events.map(({ id }) => id))).toEqual([
    [events[0]!.id],
    [events[1]!.id],
    [],
    [events[2]!.id, events[3]!.id],
  ]);
  expect(handled.every(({ duplicate }) => !duplicate)).toBe(true);
});

it('decides each on what those before it lead to, and harms nobody with a refusal', async () => {
  const { memory, move, sizes } = setup();
  const outcomes = await Promise.allSettled([move(5), move(-6), move(-4), move(-2), move(1)]);
  expect(outcomes.map(({ status }) => status)).toEqual([
    ...['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
  ]);
  expect(sizes()).toEqual([3]);
  expect(await balanceIn(memory, LOG)).toEqual({ balance: 2, moves: 3 });
});

it('remembers the state: no reading while nobody else appends', async () => {
  const { eventLog, move } = setup();
  await move(5);
  await move(-1);
  await move(-1);
  expect(eventLog.reads.length).toBe(1);
});

it('makes sure before it refuses, or decides nothing, on what it remembers', async () => {
  const { deposit, move } = setup();
  await move(1);
  await deposit(10);
  expect((await move(-11)).state.balance).toBe(0);
  await deposit(3);
  expect((await move(0)).state.balance).toBe(3);
  await expect(move(-4)).rejects.toThrow(NotEnoughMoney);
});

it('decides all again when others were faster', async () => {
  const { memory, eventLog, deposit, move, sizes } = setup();
  await move(5);
  eventLog.beforeAppends.push(
    () => deposit(1),
    () => deposit(1),
  );
  const outcomes = await Promise.allSettled([move(-6), move(-2), move(4)]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(sizes()).toEqual([1, 2, 2, 2]);
  expect(await balanceIn(memory, LOG)).toEqual({ balance: 5, moves: 5 });
});

it('gives each caller the conflict when it gives up, and goes on', async () => {
  const { eventLog, deposit, move } = setup({ retries: { attempts: 2 } });
  eventLog.beforeAppends.push(
    () => deposit(1),
    () => deposit(1),
  );
  const outcomes = await Promise.allSettled([move(1), move(2)]);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ reason: expect.any(TooManyConflicts) });
  }
  expect((await move(1)).state.balance).toBe(3);
});

it('lets a command with an ID go by itself, in its turn', async () => {
  const { move, sizes } = setup();
  const handled = await Promise.all([
    ...[move(1), move(2), move(3, { commandId: 'a' }), move(3, { commandId: 'a' }), move(5)],
  ]);
  expect(handled.map(({ state, duplicate }) => [state.balance, duplicate])).toEqual([
    [1, false],
    [3, false],
    [6, false],
    [6, true],
    [11, false],
  ]);
  expect(sizes()).toEqual([2, 1, 1, 1]);
});

it('tells all who were to be appended together when the outcome is unknown', async () => {
  const { eventLog, move } = setup();
  eventLog.lostAnswers = 1;
  const outcomes = await Promise.allSettled([move(1), move(2)]);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ reason: expect.any(OutcomeUnknown) });
  }
  expect((await move(1)).state).toEqual({ balance: 4, moves: 3 });
});

it('harms nobody with events that the log does not take', async () => {
  const { move, memory } = setup({}, { limits: { maxMetaBytes: 100 } });
  const tooLarge = { meta: { text: 'x'.repeat(200) } };
  const outcomes = await Promise.allSettled([move(1), move(2, tooLarge), move(3)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(outcomes[1]).toMatchObject({ reason: { code: 'too_large' } });
  expect(await balanceIn(memory, LOG)).toEqual({ balance: 4, moves: 2 });
});

it('splits what is too much for one append', async () => {
  const { memory, move, sizes } = setup();
  const handled = await Promise.all(Array.from({ length: 7 }, () => move(1, {}, 200)));
  expect(handled.at(-1)?.state.balance).toBe(1400);
  expect(sizes()).toEqual([600, 600, 200]);
  expect((await balanceIn(memory, LOG)).moves).toBe(1400);
});

it('shares no append where the next decision needs the ID or the time of an event', async () => {
  for (const part of ['id', 'at'] as const) {
    const eventLog = new DisturbedLog(new MemoryLog());
    const last = decider({
      name: 'last',
      initial: { seen: [] as unknown[] },
      decide: (_: null, state) => ({ type: 'Seen', payload: state.seen as never }),
      evolve: (state, event) => ({ seen: [...state.seen, event[part]] }),
      log: () => LOG,
    });
    const handler = commandHandler(eventLog, last);
    const handled = await Promise.all([1, 2, 3].map(() => handler.handle(null)));
    expect(eventLog.appends.map(([, events]) => events.length)).toEqual([1, 1, 1]);
    expect(handled.at(-1)?.state.seen).toEqual(handled.flatMap(({ events }) => events[0]![part]));
    expect(handled.at(-1)?.events[0]?.payload).toEqual(handled.at(-2)?.state.seen);
  }
});

it('hands states and events over as they are read from the log', async () => {
  const notes = decider({
    name: 'notes',
    initial: [] as unknown[],
    decide: (note: unknown) => ({ type: 'Noted', payload: note as never }),
    evolve: (state, event) => [...state, event],
    log: () => LOG,
  });
  const memory = new MemoryLog();
  const handler = commandHandler(memory, notes);
  const note = { when: new Date(0), missing: undefined, list: [1] };
  const [, { state }] = await Promise.all([handler.handle(note), handler.handle('a text')]);
  note.list.push(2);
  const fresh = await commandHandler(memory, notes).handle('another');
  expect(fresh.state.slice(0, 2)).toStrictEqual(state);
  expect(state[0]).toMatchObject({ payload: { when: '1970-01-01T00:00:00.000Z', list: [1] } });
});

describe('the queue', () => {
  it('is bounded for each log', async () => {
    const { eventLog, handler, move } = setup({ queue: 2 });
    let go = () => {};
    eventLog.beforeAppends.push(() => new Promise<void>((resolve) => (go = resolve)));
    const first = move(1);
    await eventually(() => expect(eventLog.appends.length).toBe(1));
    const waiting = [move(1), move(1)];
    await expect(move(1)).rejects.toThrow(QueueFull);
    await expect(move(1)).rejects.toThrow('2 commands wait for account:1 already');
    expect((await handler.handle({ account: '2', amount: 1 })).state.balance).toBe(1);
    go();
    await Promise.all([first, ...waiting]);
    expect((await move(1)).state.balance).toBe(4);
  });

  it('can be left by aborting', async () => {
    const { eventLog, memory, move } = setup();
    let go = () => {};
    eventLog.beforeAppends.push(() => new Promise<void>((resolve) => (go = resolve)));
    const first = move(1);
    await eventually(() => expect(eventLog.appends.length).toBe(1));
    const stop = new AbortController();
    const second = move(10, { signal: stop.signal });
    const third = move(100);
    stop.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    go();
    await Promise.all([first, third]);
    expect(await balanceIn(memory, LOG)).toEqual({ balance: 101, moves: 2 });
  });

  it('is turned away on close, which waits for what is under way', async () => {
    const { eventLog, handler, memory, move } = setup();
    let go = () => {};
    eventLog.beforeAppends.push(() => new Promise<void>((resolve) => (go = resolve)));
    const first = move(1);
    await eventually(() => expect(eventLog.appends.length).toBe(1));
    const second = move(10);
    let isClosed = false;
    const closing = handler.close().then(() => {
      isClosed = true;
    });
    await expect(second).rejects.toThrow(Closed);
    await expect(move(1)).rejects.toThrow('the command handler has been closed');
    expect(isClosed).toBe(false);
    go();
    expect((await first).state.balance).toBe(1);
    await closing;
    expect((await balanceIn(memory, LOG)).balance).toBe(1);
  });
});

it('forgets the logs that were not used for longest', async () => {
  const { eventLog, handler } = setup({ cache: 2 });
  const readsFor = async (id: string) => {
    eventLog.reads.length = 0;
    await handler.handle({ account: id, amount: 1 });
    return eventLog.reads.length;
  };
  expect([await readsFor('1'), await readsFor('2'), await readsFor('1')]).toEqual([1, 1, 0]);
  expect([await readsFor('3'), await readsFor('1'), await readsFor('2')]).toEqual([1, 0, 1]);
});

it('stays right with a cache that is smaller than what is under way, or none', async () => {
  for (const cache of [0, 3]) {
    const { handler, memory } = setup({ cache });
    const ids = Array.from({ length: 300 }, (_, index) => String(index % 10));
    await Promise.all(ids.map((id) => handler.handle({ account: id, amount: 1 })));
    for (const id of new Set(ids)) {
      expect(await balanceIn(memory, `account:${id}`)).toEqual({ balance: 30, moves: 30 });
    }
  }
});

it('makes snapshots, and nobody waits for them', async () => {
  const records = new MemoryRecords();
  const { handler, memory, move } = setup({ snapshots: { records, every: 20 } });
  for (let round = 0; round < 50; round += 1) await move(1);
  await handler.close();
  const snapshot = JSON.parse((await records.get(`snapshot:${LOG}:account`))!);
  expect(snapshot.state.balance).toBe(40);
  await memory.trim(LOG, snapshot.version);
  const later = commandHandler(memory, account, { snapshots: { records } });
  expect((await later.handle({ account: '1', amount: 1 })).state.balance).toBe(51);
});

it('refuses options that break a rule', () => {
  for (const options of [{ cache: -1 }, { queue: 0 }, { retries: { attempts: 0.5 } }]) {
    expect(() => commandHandler(new MemoryLog(), account, options)).toThrow(InvalidInput);
  }
});
