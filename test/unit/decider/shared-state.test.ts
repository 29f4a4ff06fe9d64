/** An `evolve` or `decide` that changes the state it is given: told in development, and never another log's trouble. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Decider, decider } from '../../../src/decider/decider.ts';
import { commandHandler } from '../../../src/decider/handling/command-handler.ts';
import { handle } from '../../../src/decider/handling/handle.ts';
import { parseLogName } from '../../../src/event/log-name.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../../src/stores/memory/records/memory-records.ts';

interface Basket {
  items: string[];
  count: { of: number };
}

const INITIAL: Basket = { items: [], count: { of: 0 } };

/** Changes the state that it is given, deep inside, and answers it. */
function careless(initial: Basket = INITIAL): Decider<Basket, string> {
  return decider({
    name: 'basket',
    initial,
    decide: (item: string) => (item === '' ? [] : { type: 'Added', payload: item }),
    evolve(state, { payload }) {
      state.items.push(payload as string);
      state.count.of += 1;
      return state;
    },
  });
}

const to = (log: string) => ({ to: parseLogName(`basket:${log}`) });

describe('in production', () => {
  beforeEach(() => void vi.stubEnv('NODE_ENV', 'production'));
  afterEach(() => void vi.unstubAllEnvs());

  test('what happened to one log is not in the state of another', async () => {
    const log = new MemoryLog();
    const basket = careless();
    await handle(log, basket, 'tea', to('1'));
    expect((await handle(log, basket, 'milk', to('1'))).state.items).toEqual(['tea', 'milk']);
    expect((await handle(log, basket, 'bread', to('2'))).state).toEqual({
      items: ['bread'],
      count: { of: 1 },
    });
    const handler = commandHandler(log, basket);
    for (const name of ['3', '4']) {
      expect((await handler.handle('soap', to(name))).state.items).toEqual(['soap']);
    }
    await handler.close();
    expect(INITIAL).toEqual({ items: [], count: { of: 0 } });
    expect(basket.initial).toBe(INITIAL);
  });

  test('nor is it after others were faster, or in what a log without events has', async () => {
    const log = new MemoryLog();
    const basket = careless();
    await Promise.all(['1', '2', '1', '2'].map((name) => handle(log, basket, name, to(name))));
    for (const name of ['1', '2']) {
      expect((await handle(log, basket, '', to(name))).state.items).toEqual([name, name]);
    }
    expect((await handle(log, basket, '', to('3'))).state).toEqual(INITIAL);
  });

  test('states are not frozen', async () => {
    const { state } = await handle(new MemoryLog(), careless(), 'tea', to('1'));
    expect(Object.isFrozen(state)).toBe(false);
  });
});

describe('in development', () => {
  test.each([
    ['evolve', /^evolve of decider basket changes the state that it is given, which others have/],
    ['decide', /^decide of decider basket changes the state that it is given, which others have/],
  ])(
    'an %s that changes the state is told so, and by a handler as well',
    async (place, message) => {
      const log = new MemoryLog();
      const basket = decider({
        name: 'basket',
        initial: INITIAL,
        decide(item: string, state) {
          if (place === 'decide') state.count.of += 1;
          return { type: 'Added', payload: item };
        },
        evolve(state, { payload }) {
          if (place === 'decide') return { ...state, items: [...state.items, payload as string] };
          state.items.push(payload as string);
          return state;
        },
      });
      await log.append(to('1').to, [{ type: 'Added', payload: 'tea' }]);
      await expect(handle(log, basket, 'milk', to('1'))).rejects.toThrow(message);
      const handler = commandHandler(log, basket);
      await expect(handler.handle('milk', to('1'))).rejects.toThrow(TypeError);
      await handler.close();
      expect((await log.read(to('1').to)).events).toHaveLength(1);
      expect(INITIAL.items).toEqual([]);
      expect(Object.isFrozen(INITIAL)).toBe(false);
    },
  );

  test('one that changes a map, or a state from a snapshot, is told so, too', async () => {
    const log = new MemoryLog();
    const members = decider({
      name: 'members',
      initial: new Map<string, number>(),
      decide: (who: string) => ({ type: 'Joined', payload: who }),
      evolve: (state, { payload }) => state.set(payload as string, 1),
    });
    await log.append(to('1').to, [{ type: 'Joined', payload: 'ada' }]);
    await expect(handle(log, members, 'bob', to('1'))).rejects.toThrow(/changes the state/);

    const careful = (isCareful: boolean) =>
      decider({
        ...{ name: 'basket', version: 1, initial: { items: [] as string[] } },
        decide: (item: string) => ({ type: 'Added', payload: item }),
        evolve(state, { payload }) {
          if (isCareful) return { items: [...state.items, payload as string] };
          state.items.push(payload as string);
          return state;
        },
      });
    const snapshots = { records: new MemoryRecords(), every: 1 };
    const there = { ...to('2'), snapshots };
    await handle(log, careful(true), 'tea', there);
    await handle(log, careful(true), 'milk', there);
    await expect(handle(log, careful(false), 'soap', there)).rejects.toThrow(/changes the state/);
  });

  test('another TypeError of theirs comes as it is', async () => {
    const error = new TypeError('of undefined');
    const basket = decider({
      name: 'basket',
      initial: 0,
      decide: (_: string) => {
        throw error;
      },
      evolve: (state) => state,
    });
    await expect(handle(new MemoryLog(), basket, '', to('1'))).rejects.toBe(error);
  });
});
