import { expect, test } from 'vitest';
import { handle } from '../../../../src/decider/handling/handle.ts';
import { readState } from '../../../../src/decider/handling/state.ts';
import { InvalidInput } from '../../../../src/event/error.ts';
import { ZERO_ID } from '../../../../src/event/event-id.ts';
import { VersionConflict } from '../../../../src/event/store-errors.ts';
import { MemoryLog } from '../../../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../../../src/stores/memory/records/memory-records.ts';
import { account, bank } from '../bank.ts';

test('a log without events is in the initial state', async () => {
  const read = await readState(new MemoryLog(), account, 'account:1');
  expect(read).toEqual({ state: { balance: 0, moves: 0 }, version: ZERO_ID });
});

test('the state is that of the last command, and its version is good for an append', async () => {
  const log = new MemoryLog();
  const handled = await handle(log, account, { account: '1', amount: 5, parts: 3 });
  const { state, version } = await readState(log, account, 'account:1');
  expect({ state, version }).toEqual({ state: handled.state, version: handled.version });
  const event = bank.encode(bank.create('Deposited', { amount: 1 }));
  await log.append('account:1' as never, [event], { expected: version });
  const late = log.append('account:1' as never, [event], { expected: version });
  await expect(late).rejects.toThrow(VersionConflict);
});

test('with snapshots only what came after the last one is read', async () => {
  const log = new MemoryLog();
  const snapshots = { records: new MemoryRecords(), every: 2 };
  await handle(log, account, { account: '1', amount: 5, parts: 3 });
  await readState(log, account, 'account:1', { snapshots });
  const asked: unknown[] = [];
  const counting: Pick<MemoryLog, 'read'> = {
    read: (name, options) => {
      asked.push(options?.after);
      return log.read(name, options);
    },
  };
  const { state, version } = await readState(counting, account, 'account:1', { snapshots });
  expect(state).toEqual({ balance: 15, moves: 3 });
  expect(asked).toEqual([version]);
});

test('refuses what is no log', async () => {
  await expect(readState(new MemoryLog(), account, 'nothing')).rejects.toThrow(InvalidInput);
});
