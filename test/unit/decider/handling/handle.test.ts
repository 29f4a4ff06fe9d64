import { describe, expect, it } from 'vitest';
import { decider } from '../../../../src/decider/decider.ts';
import { StateLost, TooManyConflicts } from '../../../../src/decider/errors.ts';
import { handle } from '../../../../src/decider/handling/handle.ts';
import { InvalidInput } from '../../../../src/event/error.ts';
import { ZERO_ID } from '../../../../src/event/event-id.ts';
import { OutcomeUnknown, VersionConflict } from '../../../../src/event/store-errors.ts';
import { MemoryLog } from '../../../../src/stores/memory/log/memory-log.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { randomId, randomLog } from '../../../support/names.ts';
import { account, balanceIn, bank, NotEnoughMoney } from '../bank.ts';
import { DisturbedLog } from '../disturbed-log.ts';

const now = async () => {};

function setup() {
  const memory = new MemoryLog();
  const id = randomId();
  const log = randomLog();
  return {
    ...{ memory, id, log },
    eventLog: new DisturbedLog(memory),
    /** Somebody else, who knows nothing of commands. */
    deposit: (amount: number) =>
      memory.append(`account:${id}` as never, [bank.create('Deposited', { amount })]),
  };
}

it('loads, decides and appends, and answers state, events and version', async () => {
  const { memory, id, deposit } = setup();
  await deposit(5);
  const handled = await handle(
    memory,
    account,
    { account: id, amount: -2 },
    { meta: { from: 'han' } },
  );
  const { events, version } = await memory.read(`account:${id}` as never);
  expect(handled).toEqual({
    state: { balance: 3, moves: 2 },
    events: [
      {
        ...{ type: 'Withdrawn', payload: { amount: 2 }, meta: { from: 'han' } },
        ...{ id: version, log: `account:${id}`, at: Number(version.split('-')[0]) },
      },
    ],
    version,
    duplicate: false,
  });
  expect(events[1]).toMatchObject({ type: 'Withdrawn', payload: { amount: 2 } });
});

it('appends nothing when nothing is decided, or when the command is refused', async () => {
  const { memory, eventLog, id, deposit } = setup();
  const { version } = await deposit(5);
  expect(await handle(eventLog, account, { account: id, amount: 0 })).toEqual({
    ...{ state: { balance: 5, moves: 1 }, events: [], version, duplicate: false },
  });
  await expect(handle(eventLog, account, { account: id, amount: -6 })).rejects.toThrow(
    NotEnoughMoney,
  );
  expect(eventLog.appends).toEqual([]);
  expect(await balanceIn(memory, `account:${id}`)).toEqual({ balance: 5, moves: 1 });
});

it('appends several events as one, each with the meta of the command below its own', async () => {
  const { memory, log } = setup();
  const pair = decider({
    name: 'pair',
    events: bank,
    initial: null,
    decide: (_command: null) => [
      bank.create('Deposited', { amount: 1 }),
      bank.create('Withdrawn', { amount: 1 }, { from: 'leia', own: true }),
    ],
    evolve: () => null,
  });
  const { events } = await handle(memory, pair, null, { to: log, meta: { from: 'han', why: 'x' } });
  expect(events.map(({ meta }) => meta)).toEqual([
    { from: 'han', why: 'x' },
    { from: 'leia', why: 'x', own: true },
  ]);
});

it('needs no definitions', async () => {
  const { memory, log } = setup();
  const words = decider({
    name: 'words',
    initial: [] as string[],
    decide: (word: string, state) => ({ type: 'Said', payload: { word, number: state.length } }),
    evolve: (state, event) => [...state, JSON.stringify(event.payload)],
  });
  await handle(memory, words, 'hello', { to: log });
  const { state } = await handle(memory, words, 'world', { to: log });
  expect(state).toEqual(['{"word":"hello","number":0}', '{"word":"world","number":1}']);
});

it('folds a log of many pages', async () => {
  const { memory, id } = setup();
  for (let round = 0; round < 3; round += 1) {
    await handle(memory, account, { account: id, amount: 1, parts: 900 });
  }
  expect((await handle(memory, account, { account: id, amount: 1 })).state).toEqual({
    balance: 2701,
    moves: 2701,
  });
});

it('leaves out events that its definitions ignore, or hand over raw', async () => {
  const { memory, log } = setup();
  await memory.append(log, [{ type: 'Noted', payload: 'x' }]);
  const { defineEvents } = await import('../../../../src/typed/define-events.ts');
  const { type } = await import('../../../../src/typed/standard-schema.ts');
  for (const unknown of ['ignore', 'raw'] as const) {
    const counter = decider({
      name: 'counter',
      events: defineEvents({ Counted: type<null>() }, { unknown }),
      initial: 0,
      decide: (_command: null) => ({ type: 'Counted', payload: null }),
      evolve: (state) => state + 1,
    });
    const before = (await handle(memory, counter, null, { to: log })).state;
    expect((await handle(memory, counter, null, { to: log })).state).toBe(before + 1);
  }
});

describe('conflicts', () => {
  it('decides again on what is new, and reads no more than that', async () => {
    const { memory, eventLog, id, deposit } = setup();
    const { version } = await deposit(5);
    eventLog.beforeAppends.push(
      () => deposit(2),
      () => deposit(3),
    );
    const { state } = await handle(eventLog, account, { account: id, amount: -10 + 1 }, {}).catch(
      (error) => ({ state: error }),
    );
    expect(state).toBeInstanceOf(NotEnoughMoney);

    const { state: after } = await handle(
      eventLog,
      account,
      { account: id, amount: -5 },
      { sleep: now },
    );
    expect(after).toEqual({ balance: 5, moves: 4 });
    expect(eventLog.reads.map(([, options]) => options?.after)).toEqual([
      ZERO_ID, // refused
      ZERO_ID,
      version,
      expect.not.stringMatching(version),
    ]);
    expect(await balanceIn(memory, `account:${id}`)).toEqual(after);
  });

  it('can refuse after a conflict what was decided before', async () => {
    const { eventLog, memory, id, deposit } = setup();
    await deposit(5);
    eventLog.beforeAppends.push(() => handle(memory, account, { account: id, amount: -4 }));
    const late = handle(eventLog, account, { account: id, amount: -4 }, { sleep: now });
    await expect(late).rejects.toThrow(NotEnoughMoney);
    expect(await balanceIn(memory, `account:${id}`)).toEqual({ balance: 1, moves: 2 });
  });

  it('gives up after the last retry, with the conflict', async () => {
    const { eventLog, id, deposit } = setup();
    const delays: number[] = [];
    for (let time = 0; time < 20; time += 1) eventLog.beforeAppends.push(() => deposit(1));
    const error = await handle(
      eventLog,
      account,
      { account: id, amount: 1 },
      {
        retries: { attempts: 13, random: () => 0.5 },
        sleep: async (milliseconds) => void delays.push(milliseconds),
      },
    ).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TooManyConflicts);
    expect(error).toMatchObject({ code: 'too_many_conflicts', attempts: 13 });
    expect((error as TooManyConflicts).conflict).toBeInstanceOf(VersionConflict);
    expect((error as TooManyConflicts).cause).toBe((error as TooManyConflicts).conflict);
    expect(delays).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 500, 500, 500, 500]);
  });

  it('stops waiting when it is aborted, and appends nothing', async () => {
    const { eventLog, id, deposit } = setup();
    eventLog.beforeAppends.push(() => deposit(1));
    const stop = new AbortController();
    const waiting = handle(
      eventLog,
      account,
      { account: id, amount: 1 },
      {
        signal: stop.signal,
        retries: { firstDelay: 60_000, maxDelay: 60_000, random: () => 1 },
      },
    );
    setTimeout(() => stop.abort(new Error('enough')), 5);
    await expect(waiting).rejects.toThrow('enough');
    await expect(
      handle(eventLog, account, { account: id, amount: 1 }, { signal: stop.signal }),
    ).rejects.toThrow('enough');
    expect(eventLog.appends.length).toBe(1);
  });

  it('starts afresh when the store has lost its tail', async () => {
    const clock = new FakeClock();
    const memory = new MemoryLog({ clock: clock.now });
    const eventLog = new DisturbedLog(memory);
    await handle(memory, account, { account: '1', amount: 5 });
    const backup = memory.snapshot();
    clock.advance(1);
    await handle(memory, account, { account: '1', amount: 7 });
    eventLog.beforeAppends.push(async () => memory.restore(backup));
    const { state } = await handle(eventLog, account, { account: '1', amount: 1 }, { sleep: now });
    expect(state).toEqual({ balance: 6, moves: 2 });
  });

  it('loses no update of 50 that race on one log', async () => {
    const { memory, id } = setup();
    const handled = await Promise.all(
      Array.from({ length: 50 }, () =>
        handle(
          memory,
          account,
          { account: id, amount: 1 },
          { retries: { attempts: 51 }, sleep: now },
        ),
      ),
    );
    expect(new Set(handled.map(({ state }) => state.balance)).size).toBe(50);
    expect(await balanceIn(memory, `account:${id}`)).toEqual({ balance: 50, moves: 50 });
  });
});

it('hands an unknown outcome to a caller without command ID', async () => {
  const { eventLog, id } = setup();
  eventLog.lostAnswers = 1;
  await expect(handle(eventLog, account, { account: id, amount: 1 })).rejects.toThrow(
    OutcomeUnknown,
  );
  expect(eventLog.appends.length).toBe(1);
});

it('says that a trimmed log has no state', async () => {
  const { memory, id, deposit } = setup();
  const { version } = await deposit(5);
  await deposit(6);
  await memory.trim(`account:${id}` as never, version);
  const handling = handle(memory, account, { account: id, amount: 1 });
  await expect(handling).rejects.toThrow(StateLost);
  await expect(handling).rejects.toMatchObject({
    ...{ code: 'state_lost', log: `account:${id}`, trimmed: version },
    message: `account:${id} was trimmed through ${version}: the state of decider account cannot be computed from what is left, and no snapshots were given; trim only what a snapshot covers`,
  });
});

describe('input', () => {
  it.each([
    ['no log', { to: undefined }, /^to must name the log: decider nowhere has no log function/],
    ['a log that is none', { to: 'x' }, /^to must be category:id/],
    ['no command ID', { to: 'a:1', commandId: '' }, /^commandId must be well-formed text/],
    ['half a character', { to: 'a:1', commandId: '\ud800' }, /^commandId must be/],
    ['a cause that is none', { to: 'a:1', since: 'x' as never }, /^since must be an event ID/],
    [
      'a time that is none',
      { to: 'a:1', since: Number.NaN },
      /^since must be an event ID or milli/,
    ],
    [
      'no number of retries',
      { to: 'a:1', retries: { attempts: 0 } },
      /^retries.attempts must be a whole number from 1/,
    ],
  ])('with %s is refused', async (_, options, message) => {
    const nowhere = decider({
      name: 'nowhere',
      initial: 0,
      decide: (_: null) => [],
      evolve: (s) => s,
    });
    const handling = handle(new MemoryLog(), nowhere, null, options);
    await expect(handling).rejects.toThrow(InvalidInput);
    await expect(handling).rejects.toThrow(message);
  });

  it('names the decider whose log function answers no log', async () => {
    await expect(handle(new MemoryLog(), account, { account: 'a b', amount: 1 })).rejects.toThrow(
      'log of decider account must be category:id',
    );
  });

  it('refuses a decision that is none, and one that comes later', async () => {
    for (const decision of [5, 'Deposited', Promise.reject(new Error('late'))]) {
      const odd = decider({
        ...{ name: 'odd', initial: 0, evolve: (state: number) => state },
        decide: (_: null) => decision as never,
      });
      await expect(handle(new MemoryLog(), odd, null, { to: 'a:1' })).rejects.toThrow(
        /^decide of decider odd must answer at once an event/,
      );
    }
  });

  it('refuses a decider that breaks a rule', () => {
    const good = { name: 'a', initial: 0, decide: () => [], evolve: (state: number) => state };
    const bad: [object, string][] = [
      [{ name: 'a b' }, 'name must be 1 to 64 characters'],
      [{ decide: 1 }, 'decide must be a function'],
      [{ evolve: undefined }, 'evolve must be a function'],
      [{ log: 'a:1' }, 'log must be a function'],
      [{ events: {} }, 'events must be what defineEvents answers'],
    ];
    for (const [part, message] of bad) {
      expect(() => decider({ ...good, ...part } as never)).toThrow(message);
    }
  });
});
