import { AssertionError } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decider } from '../../../src/decider/decider.ts';
import { commandHandler } from '../../../src/decider/handling/command-handler.ts';
import { MemoryLog as ContractMemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import * as testing from '../../../src/testing/testing.ts';
import { account, bank, NotEnoughMoney } from '../decider/bank.ts';

const { FakeClock, MemoryLog, seededIds, seededRandom, specify, testStore } = testing;
const given = specify(account);
const deposited = (amount: number) => bank.create('Deposited', { amount });
const withdrawn = (amount: number) => bank.create('Withdrawn', { amount });
const withdraw = (amount: number) => ({ account: '1', amount: -amount });

function complaint(body: () => void): AssertionError {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(AssertionError);
    return error as AssertionError;
  }
  throw new Error('nothing was thrown');
}

describe('a specification that holds', () => {
  it('expects events, one or several or none', () => {
    given([deposited(5)])
      .when(withdraw(3))
      .then([withdrawn(3)]);
    given([deposited(5)])
      .when(withdraw(3))
      .then(withdrawn(3));
    given([deposited(5), withdrawn(5)])
      .when({ account: '1', amount: 0 })
      .then([]);
    given([deposited(9)])
      .when({ account: '1', amount: -3, parts: 2 })
      .then([withdrawn(3), withdrawn(3)]);
  });

  it('expects an error by its class, its message, or both', () => {
    const refusing = decider({
      ...{ name: 'refusing', initial: null, evolve: () => null },
      decide: (message: string) => {
        throw new RangeError(message);
      },
    });
    given([]).when(withdraw(3)).then(NotEnoughMoney);
    specify(refusing)([]).when('too far').then(/far/);
    specify(refusing)([]).when('too far').then(new RangeError('too far'));
    specify(refusing)([]).when('too far').then(Error);
  });
});

describe('a specification that does not hold', () => {
  it('shows the difference', () => {
    const error = complaint(() =>
      given([deposited(5)])
        .when(withdraw(3))
        .then([withdrawn(4)]),
    );
    expect(error.message).toMatch(/^the command led to other events:\n/);
    expect(error.message).toMatch(/\+ +amount: 3\n- +amount: 4/);
    expect(error).toMatchObject({
      actual: [{ type: 'Withdrawn', payload: { amount: 3 } }],
      expected: [{ type: 'Withdrawn', payload: { amount: 4 } }],
    });
    expect(
      complaint(() =>
        given([])
          .when(withdraw(0))
          .then([deposited(1)]),
      ).actual,
    ).toEqual([]);
  });

  it('says that the command was refused, was not, or by another error', () => {
    const refused = complaint(() =>
      given([])
        .when(withdraw(3))
        .then([withdrawn(3)]),
    );
    expect(refused.message).toBe('the command was refused: Error');
    expect((refused as Error).cause).toBeInstanceOf(NotEnoughMoney);
    const passed = complaint(() =>
      given([deposited(3)])
        .when(withdraw(3))
        .then(NotEnoughMoney),
    );
    expect(passed.message).toBe('the command was not refused, as NotEnoughMoney was expected');
    for (const expected of [RangeError, /other/, new NotEnoughMoney('other')] as const) {
      expect(complaint(() => given([]).when(withdraw(3)).then(expected)).message).toMatch(
        /^the command was refused by Error, not by /,
      );
    }
  });

  it('says so when a function changes what it is given', () => {
    const mutating = decider({
      ...{ name: 'mutating', initial: { count: { of: 0 } } },
      decide: (_: null, state) => {
        state.count.of += 1;
        return [];
      },
      evolve: (state) => {
        state.count.of += 1;
        return state;
      },
    });
    const event = { type: 'Counted', payload: 1 };
    expect(() => specify(mutating)([event])).toThrow(/read only property 'of'/);
    expect(complaint(() => specify(mutating)([]).when(null).then([])).message).toMatch(
      /the command was refused: TypeError: .*read only property 'of'/,
    );
  });

  it('says so when it is awaited', async () => {
    // The compiler says so too.
    const awaited = given([]).when(withdraw(3)) as unknown as Promise<void>;
    await expect(async () => await awaited).rejects.toThrow('do not await a specification');
  });
});

it('counts meta where it is given', () => {
  const marking = decider({
    ...{ name: 'marking', events: bank, initial: null, evolve: () => null },
    decide: (_: null) => bank.create('Deposited', { amount: 1 }, { from: 'han' }),
  });
  const marked = specify(marking)([]).when(null);
  marked.then(deposited(1));
  marked.then(bank.create('Deposited', { amount: 1 }, { from: 'han' }));
  complaint(() => marked.then(bank.create('Deposited', { amount: 1 }, { from: 'leia' })));
});

it('refuses given events that are none of the definitions', () => {
  expect(() => given([{ type: 'Opened', payload: {} } as never])).toThrow(/must be one of/);
});

it('is the same each time with the same seed, and another with another', async () => {
  const run = async (seed: number) => {
    const { log, clock, newId, random } = testStore({ seed, start: 1_000 });
    const { version } = await commandHandler(log, account).handle({ account: '1', amount: 5 });
    clock.advance(500);
    const next = await log.append('account:1' as never, [deposited(1)]);
    return [version, next.version, newId(), newId(), random()];
  };
  expect(await run(1)).toEqual(await run(1));
  expect((await run(1)).slice(0, 2)).toEqual(['1000-0', '1500-0']);
  expect((await run(1)).slice(2)).not.toEqual((await run(2)).slice(2));
  expect(new Set(Array.from({ length: 1_000 }, seededIds(5))).size).toBe(1_000);
  const numbers = Array.from({ length: 1_000 }, seededRandom());
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
});

it('lets records of a test store run out by its clock', async () => {
  const { records, clock, close } = testStore();
  await records.compareAndSet('a', null, 'x', { timeToLive: 100 });
  clock.advance(99);
  expect(await records.get('a')).toBe('x');
  await clock.sleep(1);
  expect(await records.get('a')).toBeNull();
  await close();
  await expect(records.get('a')).rejects.toThrow('closed');
  await expect(new FakeClock().sleep(1, AbortSignal.abort(new Error('enough')))).rejects.toThrow(
    'enough',
  );
});

it('has the log in memory that passes the contract suite', () => {
  expect(MemoryLog).toBe(ContractMemoryLog);
});

it('is what the package exports as millrace/testing', () => {
  const root = join(import.meta.dirname, '../../..');
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { default: file, types } = exports['./testing'];
  expect(file).toBe('./dist/testing/testing.js');
  expect(types).toBe(file.replace(/js$/, 'd.ts'));
  expect(Object.keys(testing).sort()).toEqual([
    ...['FakeClock', 'MemoryLog', 'MemoryRecords', 'eventLogCases', 'readModelCases'],
    ...['recordsCases', 'seededIds', 'seededRandom', 'specify', 'testStore', 'workQueuesCases'],
  ]);
});
