/** Snapshots save reading; they never decide anything. */

import { describe, expect, it, vi } from 'vitest';
import { decider } from '../../../../src/decider/decider.ts';
import { StateLost } from '../../../../src/decider/errors.ts';
import { handle } from '../../../../src/decider/handling/handle.ts';
import type { SnapshotOptions } from '../../../../src/decider/handling/snapshots.ts';
import type { LogName } from '../../../../src/event/log-name.ts';
import { lostInJson } from '../../../../src/event/lost-in-json.ts';
import { Unavailable } from '../../../../src/event/store-errors.ts';
import type { Notice } from '../../../../src/metrics/notice.ts';
import { MemoryLog } from '../../../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../../../src/stores/memory/records/memory-records.ts';
import { account, balanceIn, bank } from '../bank.ts';
import { DisturbedLog } from '../disturbed-log.ts';

const LOG = 'account:1' as LogName;
const KEY = 'snapshot:account:1:account';

function setup(options: Partial<SnapshotOptions> = {}) {
  const memory = new MemoryLog();
  const records = new MemoryRecords();
  const eventLog = new DisturbedLog(memory);
  const snapshots = { records, every: 10, ...options };
  const move = (amount: number, parts = 1, by = account) =>
    handle(eventLog, by, { account: '1', amount, parts }, { snapshots });
  /** How many events were read to handle the next command. */
  const eventsRead = async (run: () => Promise<unknown>) => {
    eventLog.reads.length = 0;
    await run();
    const [first] = eventLog.reads;
    return (await memory.read(LOG, { ...first?.[1], limit: 10_000 })).events.length - 1;
  };
  return { memory, records, eventLog, move, eventsRead };
}

it('are made by count, and save reading what they know', async () => {
  const { records, move, eventsRead } = setup();
  await move(1, 9);
  expect(await records.get(KEY)).toBeNull();
  await move(1);
  expect(await records.get(KEY)).toBeNull();
  expect(await eventsRead(() => move(1))).toBe(10);
  expect(JSON.parse((await records.get(KEY))!)).toEqual({
    ...{ version: expect.any(String), evolve: account.version },
    state: { balance: 10, moves: 10 },
  });
  expect(await eventsRead(() => move(1))).toBe(1);
  expect((await move(1)).state).toEqual({ balance: 13, moves: 13 });
});

it('let a log be trimmed up to where they are', async () => {
  const { memory, records, move } = setup();
  await move(1, 15);
  await move(1);
  const { version } = JSON.parse((await records.get(KEY))!);
  await memory.trim(LOG, version);
  expect((await move(1)).state).toEqual({ balance: 17, moves: 17 });
  await memory.trim(LOG, (await memory.read(LOG)).version);
  await expect(move(1)).rejects.toThrow(StateLost);
  await expect(move(1)).rejects.toThrow(/no snapshot of its version that the log goes on from/);
});

it('are thrown away when the first state changes, and kept from when that was not looked at', async () => {
  const { records, move } = setup();
  await move(1, 15);
  await move(1);
  const made = (await records.get(KEY))!;
  const former = made.replace(/"evolve":"[^"]*"/, `"evolve":"${account.formerVersion}"`);
  expect(former).not.toBe(made);
  // Only in the snapshot, so that it shows whether that is believed.
  const marked = former.replace('"balance":15', '"balance":1000');
  await records.compareAndSet(KEY, made, marked);
  expect((await move(1)).state.balance).toBe(1_002);
  const richer = decider({
    ...{ name: 'account', events: bank, initial: { balance: 100, moves: 0 } },
    ...{ decide: account.decide, evolve: account.evolve, log: () => LOG },
  });
  await move(1, 15);
  expect((await move(1, 1, richer)).state.balance).toBe(133);
});

describe('that are no good are computed afresh', () => {
  it.each([
    ['no JSON', () => '{broken'],
    ['another thing', () => '[1, 2]'],
    ['null', () => 'null'],
    ['no version', (text: string) => text.replace(/"version":"[^"]*"/, '"version":"x"')],
    ['no state', (text: string) => text.replace('"state"', '"stats"')],
    ['another evolve', (text: string) => text.replace(/"evolve":"[^"]*"/, '"evolve":"x"')],
    [
      'a version that the log has lost',
      (text: string) => text.replace(/"version":"\d+-/, '"version":"99999999999999-'),
    ],
    [
      'a version that the log never had',
      (text: string) => text.replace(/"version":"\d+-\d+"/, '"version":"5-5"'),
    ],
  ])('%s', async (_, corrupt) => {
    const { memory, records, move } = setup();
    await move(1, 15);
    await move(1);
    const good = (await records.get(KEY))!;
    const bad = corrupt(good.replace('"balance":15', '"balance":1000000'));
    await records.compareAndSet(KEY, good, bad);
    expect((await move(1)).state).toEqual({ balance: 17, moves: 17 });
    expect(await balanceIn(memory, LOG)).toEqual({ balance: 17, moves: 17 });
    const later = JSON.parse((await records.get(KEY))!);
    expect(later).toMatchObject({ evolve: account.version, state: { balance: 16 } });
  });

  it('those of a store that lost its tail', async () => {
    const { memory, move } = setup();
    await move(1, 5);
    const backup = memory.snapshot();
    await new Promise((resolve) => setTimeout(resolve, 2));
    await move(1, 15);
    await move(1);
    memory.restore(backup);
    expect((await move(1)).state).toEqual({ balance: 6, moves: 6 });
  });
});

it('are thrown away when evolve, its version or an upcast changes', async () => {
  const { move } = setup();
  const twice = decider({
    ...{ name: 'account', events: bank, initial: { balance: 0, moves: 0 } },
    decide: account.decide,
    evolve: (state, event) => ({
      balance: state.balance + 2 * event.payload.amount,
      moves: state.moves + 1,
    }),
    log: () => LOG,
  });
  await move(1, 15);
  await move(1);
  expect((await move(1, 1, twice)).state).toEqual({ balance: 34, moves: 17 });
  expect((await move(1)).state).toEqual({ balance: 18, moves: 18 });

  const version = (one: object) =>
    decider({ ...account, version: undefined, ...one } as never).version;
  const evolve = (state: number) => state;
  expect(version({ evolve })).toBe(version({ evolve }));
  expect(version({ evolve })).not.toBe(version({ evolve: (state: number) => state + 1 }));
  expect(version({ evolve, version: 2 })).toBe('2');
  expect(version({ evolve, initial: 1 })).not.toBe(version({ evolve, initial: 2 }));
  expect(version({ evolve, initial: 5n })).toBe(version({ evolve, initial: undefined }));
  const read = (readingText: string) =>
    version({ evolve, events: { decode: () => {}, readingText } });
  expect(read('1')).toBe(read('1'));
  expect(read('1')).not.toBe(read('2'));
});

it('are never replaced by older ones', async () => {
  const { memory, records, move } = setup();
  await move(1, 15);
  await move(1);
  const older = await records.get(KEY);
  await move(1, 15);
  await move(1);
  const newer = await records.get(KEY);
  expect(newer).not.toBe(older);
  const behind = new DisturbedLog(memory);
  // Somebody who read the log before the newer snapshot was made, and writes one only now.
  const slow = {
    get: async () => {
      slow.get = (key) => records.get(key);
      return null;
    },
    compareAndSet: records.compareAndSet.bind(records),
  } as Pick<MemoryRecords, 'get' | 'compareAndSet'>;
  const read = behind.read;
  behind.read = async (log, options) => {
    const page = await read(log, options);
    return { ...page, events: page.events.slice(0, 20), version: page.events[19]!.id, more: false };
  };
  await handle(
    behind,
    account,
    { account: '1', amount: 0 },
    { snapshots: { records: slow, every: 5 } },
  );
  expect(await records.get(KEY)).toBe(newer);
});

describe('that cannot be written', () => {
  it('leaves no more than a line a second on the console, however many commands there are', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    const records = new MemoryRecords();
    records.compareAndSet = () => Promise.reject(new Unavailable('it is away'));
    const { move } = setup({ records, every: 1 });
    for (let count = 0; count < 5; count += 1) await move(1);
    expect(said.mock.calls).toEqual([[expect.stringContaining('could not write a snapshot')]]);
    said.mockRestore();
  });

  it('do not harm the command, and are told', async () => {
    const onNotice = vi.fn<(notice: Notice) => void>();
    const records = new MemoryRecords();
    records.compareAndSet = async () => {
      throw new Unavailable('gone');
    };
    const { move } = setup({ records, onNotice });
    await move(1, 15);
    expect((await move(1)).state.balance).toBe(16);
    expect(onNotice).toHaveBeenCalledExactlyOnceWith({
      ...{ what: 'snapshot', by: 'the decider account', log: LOG },
      error: expect.any(Unavailable),
    });
  });

  it('because the state is not JSON any more are told with the place', async () => {
    const onNotice = vi.fn<(notice: Notice) => void>();
    const tags = decider({
      name: 'tags',
      initial: { tags: null as null | Set<string> },
      decide: (tag: string) => ({ type: 'Tagged', payload: tag }),
      evolve: (state, event) => ({ tags: new Set([...(state.tags ?? []), String(event.payload)]) }),
    });
    const options = { to: LOG, snapshots: { records: new MemoryRecords(), every: 1, onNotice } };
    const memory = new MemoryLog();
    await handle(memory, tags, 'a', options);
    expect((await handle(memory, tags, 'b', options)).state.tags).toEqual(new Set(['a', 'b']));
    expect(onNotice.mock.calls[0]?.[0]).toMatchObject({
      error: { code: 'invalid_input', field: 'state.tags' },
    });
  });

  it('because the state is not JSON from the start are refused', async () => {
    const tags = decider({
      ...{
        name: 'tags',
        initial: new Map(),
        decide: (_: null) => [],
        evolve: (state: Map<string, string>) => state,
      },
    });
    const options = { to: LOG, snapshots: { records: new MemoryRecords() } };
    await expect(handle(new MemoryLog(), tags, null, options)).rejects.toThrow(
      'state must be a JSON value for snapshots',
    );
  });
});

it('refuses a count that is none', async () => {
  await expect(setup({ every: 0 }).move(1)).rejects.toThrow('snapshots.every must be a whole');
});

it.each<[unknown, string | undefined]>([
  [{ a: [1, 'x', null, { b: true, c: undefined }] }, undefined],
  [{ a: { b: new Date() } }, 'state.a.b'],
  [[1, [Number.NaN]], 'state[1][0]'],
  [{ a: new (class Account {})() }, 'state.a'],
  [{ a: 1n }, 'state.a'],
  [{ a: () => 1 }, 'state.a'],
  [[undefined], 'state[0]'],
  [undefined, 'state'],
  [Object.create(null), undefined],
])('knows what JSON would lose of a state', (state, place) => {
  expect(lostInJson(state)).toBe(place);
});
