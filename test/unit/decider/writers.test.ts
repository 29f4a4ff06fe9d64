/** A decider that goes by what the application wrote, and by nothing that clients say. */
import { expect, test } from 'vitest';
import { decider } from '../../../src/decider/decider.ts';
import { handle } from '../../../src/decider/handling/handle.ts';
import { readState } from '../../../src/decider/handling/state.ts';
import { accountLog } from '../../../src/event/log-name.ts';
import type { Writers } from '../../../src/event/senders.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../../src/stores/memory/records/memory-records.ts';
import { account, bank, type Move, NotEnoughMoney } from './bank.ts';

const log = accountLog('1');
const forged = { ...bank.create('Deposited', { amount: 1_000 }), meta: { from: 'account:1' } };

function by(writers: Writers | undefined, version?: string) {
  const { name, events, initial } = account;
  return decider({
    ...{ name, events, writers, initial, version },
    decide: (command: Move, state) => account.decide(command, state),
    evolve: (state, event) => account.evolve(state, event),
    log: () => 'account:1',
  });
}

test('a forged deposit cannot be spent', async () => {
  const memory = new MemoryLog();
  const strict = by('application');
  await handle(memory, strict, { account: '1', amount: 5 });
  await memory.append(log, [forged]);
  const spend = { account: '1', amount: -6 };
  await expect(handle(memory, strict, spend)).rejects.toThrow(NotEnoughMoney);
  const { state } = await handle(memory, strict, { account: '1', amount: -5 });
  expect(state).toEqual({ balance: 0, moves: 2 });
});

test('what it decides itself must count: meta.from is refused, from the command and from the event', async () => {
  const memory = new MemoryLog();
  const command = { account: '1', amount: 5 };
  const meta = { from: 'teller-3' };
  await expect(handle(memory, by('application'), command, { meta })).rejects.toMatchObject({
    code: 'invalid_event',
    field: 'meta.from',
  });
  expect((await memory.read(log)).events).toEqual([]);
  // Where everybody counts, it is as it has been.
  const { state } = await handle(memory, by(undefined), command, { meta });
  expect(state.balance).toBe(5);
});

test.each([undefined, '1'])(
  'with other writers its snapshots are computed afresh (version %s)',
  async (version) => {
    const memory = new MemoryLog();
    const snapshots = { records: new MemoryRecords(), every: 1 };
    await handle(memory, by(undefined, version), { account: '1', amount: 5 });
    await memory.append(log, [forged]);
    const balance = async (writers: Writers | undefined) =>
      (await readState(memory, by(writers, version), log, { snapshots })).state.balance;
    expect(await balance(undefined)).toBe(1_005);
    expect(await balance('application')).toBe(5);
    expect(await balance(['account:1'])).toBe(1_005);
    expect(await balance(['account:2'])).toBe(5);
    expect(await balance('everyone')).toBe(1_005);
  },
);

test('everyone is what it was before there were writers', () => {
  expect(by('everyone').version).toBe(by(undefined).version);
  expect(by('everyone', '7').version).toBe('7');
});
