/** Events that clients wrote and that `evolve` throws for: they count for nothing, for everybody. */

import { expect, test } from 'vitest';
import { decider } from '../../../src/decider/decider.ts';
import { commandHandler } from '../../../src/decider/handling/command-handler.ts';
import { handle } from '../../../src/decider/handling/handle.ts';
import { readState } from '../../../src/decider/handling/state.ts';
import { accountLog } from '../../../src/event/log-name.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../../src/stores/memory/records/memory-records.ts';
import type { UnreadableEvent } from '../../../src/typed/errors.ts';
import { errorIn } from '../../support/notices.ts';
import { account, type Move } from './bank.ts';

const log = accountLog('1');
const poison = { type: 'Deposited', payload: null, meta: { from: 'account:1' } };

function teller() {
  const told: UnreadableEvent[] = [];
  const { name, events, initial } = account;
  const definition = decider({
    ...{ name, events, initial },
    decide: (command: Move, state) => account.decide(command, state),
    evolve(state, event) {
      const { amount } = event.payload;
      const sign = event.type === 'Deposited' ? 1 : -1;
      return { balance: state.balance + sign * amount, moves: state.moves + 1 };
    },
    log: () => 'account:1',
    onNotice: (notice) => void told.push(errorIn(notice)),
  });
  return { definition, told };
}

test('a command is decided as if the event were not there, and it is told once', async () => {
  const memory = new MemoryLog();
  const { definition, told } = teller();
  await handle(memory, definition, { account: '1', amount: 5 });
  await memory.append(log, [poison, poison]);
  const { state } = await handle(memory, definition, { account: '1', amount: 2 });
  expect(state).toEqual({ balance: 7, moves: 2 });
  expect((await readState(memory, definition, log)).state).toEqual(state);
  expect(told).toHaveLength(1);
  expect(told[0]?.message).toMatch(/makes evolve throw TypeError.*account:1 sent it/);
});

test('so it is when commands are decided together, and in snapshots', async () => {
  const memory = new MemoryLog();
  const { definition } = teller();
  const snapshots = { records: new MemoryRecords(), every: 2 };
  await using _ = {
    [Symbol.asyncDispose]: () => commands.close(),
  };
  const commands = commandHandler(memory, definition, { snapshots });
  const deposits = () => [1, 2, 3].map((amount) => commands.handle({ account: '1', amount }));
  await Promise.all(deposits());
  await memory.append(log, [poison]);
  const answers = await Promise.all(deposits());
  expect(answers.map(({ state }) => state.balance)).toEqual([7, 9, 12]);
  const expected = { balance: 12, moves: 6 };
  expect((await readState(memory, definition, log, { snapshots })).state).toEqual(expected);
  expect((await readState(memory, definition, log)).state).toEqual(expected);
});

test('what the application wrote still stops it, and so does an evolve that changes its state', async () => {
  const memory = new MemoryLog();
  await memory.append(log, [{ ...poison, meta: undefined }]);
  await expect(readState(memory, teller().definition, log)).rejects.toThrow(TypeError);

  const other = new MemoryLog();
  await other.append(log, [{ ...poison, payload: { amount: 1 } }]);
  const mutating = decider({
    name: 'mutating',
    initial: { balance: 0 },
    decide: (_command: Move, _state) => undefined,
    evolve(state) {
      state.balance += 1;
      return state;
    },
  });
  await expect(readState(other, mutating, log)).rejects.toThrow(/changes the state/);
});
