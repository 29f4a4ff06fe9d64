/** The checker of the bank, checked: it must notice each thing that may go wrong. */
import { expect, test } from 'vitest';
import { account, requestTransfer, transfers } from '../../../examples/bank/bank.ts';
import { handle } from '../../../src/decider/handling/handle.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { complaints } from '../../support/bank-checker.ts';

const transfer = { id: 't', from: 'ada', to: 'bob', amount: 30 };
const [ada, bob] = ['account:ada', 'account:bob'] as LogName[] as [LogName, LogName];
const rows = (balances: Record<string, number>) =>
  new Map(Object.entries(balances).map(([name, balance]) => [`account:${name}`, { balance }]));
const right = rows({ ada: 70, bob: 30 });

/** A transfer that was carried out. */
async function bank(): Promise<MemoryLog> {
  const log = new MemoryLog();
  const deposit = { command: 'deposit', account: 'ada', amount: 100 } as const;
  await handle(log, account, deposit, { commandId: 'first' });
  await requestTransfer(log, transfer);
  await handle(log, account, { command: 'withdraw', account: 'ada', amount: 30, transfer });
  await handle(log, account, { command: 'deposit', account: 'bob', amount: 30, transfer });
  await handle(log, transfers, { command: 'complete', id: 't' });
  return log;
}

test('has nothing to say about a bank that is as it should be', async () => {
  const said = [
    ['deposit', 'first', 100],
    ['transfer', 't', 30],
  ] as const;
  expect(await complaints(await bank(), right, said)).toEqual([]);
});

test.each([
  ['a wrong row', rows({ ada: 70, bob: 29 }), /bob has 30, the table says 29/],
  ['a missing row', rows({ ada: 70 }), /bob has 30, the table says undefined/],
  ['a row of nobody', rows({ ada: 70, bob: 30, eve: 1 }), /eve, which has no log/],
])('notices %s', async (_, table, complaint) => {
  expect(await complaints(await bank(), table, [])).toEqual([expect.stringMatching(complaint)]);
});

test('notices a transfer that was applied twice', async () => {
  const log = await bank();
  await log.append(bob, [{ type: 'Deposited', payload: { amount: 30, transfer } }]);
  const found = await complaints(log, rows({ ada: 70, bob: 60 }), []);
  expect(found).toEqual([
    expect.stringMatching(/transfer:t came to .*bob 30, Deposited account:bob 30/),
  ]);
});

test('notices a transfer that got lost on its way', async () => {
  const log = await bank();
  await requestTransfer(log, { ...transfer, id: 'u' });
  await handle(log, account, {
    ...{ command: 'withdraw', account: 'ada', amount: 30, transfer: { ...transfer, id: 'u' } },
  } as const);
  const found = await complaints(log, rows({ ada: 40, bob: 30 }), []);
  expect(found).toEqual([expect.stringMatching(/transfer:u came to TransferRequested/)]);
});

test('notices money out of nowhere', async () => {
  const log = await bank();
  const other = { ...transfer, id: 'x' };
  await log.append(ada, [{ type: 'Deposited', payload: { amount: 1, transfer: other } }]);
  const found = await complaints(log, rows({ ada: 71, bob: 30 }), []);
  expect(found).toEqual(['nobody asked for the transfer x']);
});

test('notices an account that was overdrawn', async () => {
  const log = await bank();
  await log.append(ada, [{ type: 'Withdrawn', payload: { amount: 71 } }]);
  const found = await complaints(log, rows({ ada: -1, bob: 30 }), []);
  expect(found).toEqual([expect.stringMatching(/account:ada was overdrawn/)]);
});

test('notices a command that happened twice, and one that was only said to happen', async () => {
  const log = await bank();
  const again = { type: 'Deposited', payload: { amount: 100 }, meta: { commandId: 'first' } };
  await log.append(ada, [again]);
  const said = [
    ['deposit', 'never', 1],
    ['transfer', 'nothing', 1],
  ] as const;
  expect(await complaints(log, rows({ ada: 170, bob: 30 }), said)).toEqual([
    'first happened 2 times',
    'deposit never was acknowledged and is not there',
    'transfer nothing was acknowledged and is not there',
  ]);
});
