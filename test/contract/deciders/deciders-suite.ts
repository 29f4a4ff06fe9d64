/** What deciders promise, over any store: to be run on each. */
import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict';
import { commandHandler } from '../../../src/decider/handling/command-handler.ts';
import { handle } from '../../../src/decider/handling/handle.ts';
import type { EventLog } from '../../../src/log/log.ts';
import type { Records } from '../../../src/records/records.ts';
import {
  type Contract,
  type ContractCase,
  contractCases,
  type StoreKind,
  type StoreUnderTest,
  type Suite,
} from '../../../src/testing/contract/suite.ts';
import { randomId } from '../../support/names.ts';
import { account, balanceIn, bank, NotEnoughMoney } from '../../unit/decider/bank.ts';

interface StoreForDeciders {
  readonly log: EventLog;
  readonly records: Records;
  close(): Promise<void>;
}

interface DecidersUnderTest extends StoreUnderTest<object> {
  open(): Promise<StoreForDeciders>;
}

const DECIDERS: Contract<DecidersUnderTest, StoreForDeciders, object> = {
  topics: [commandTests],
  context: (store, keep) => keep(store.open()),
};

export function decidersCases(kind: StoreKind<DecidersUnderTest, object>): ContractCase[] {
  return contractCases(DECIDERS, kind);
}

const RACERS = 50;

function commandTests(suite: Suite<StoreForDeciders, object>): void {
  suite.topic('commands', () => {
    suite.it('loses no update of handles that race on one log', async ({ log }) => {
      const id = randomId();
      const handled = await Promise.all(
        Array.from({ length: RACERS }, () =>
          handle(log, account, { account: id, amount: 1 }, { retries: { attempts: RACERS * 2 } }),
        ),
      );
      strictEqual(new Set(handled.map(({ version }) => version)).size, RACERS);
      deepStrictEqual(await balanceIn(log, `account:${id}`), { balance: RACERS, moves: RACERS });
    });

    suite.it(
      'equals the fold when two handlers and a stranger are at it',
      async ({ log, records }) => {
        const id = randomId();
        const options = { retries: { attempts: 100 }, snapshots: { records, every: 10 } };
        const handlers = [0, 1].map(() => commandHandler(log, account, options));
        const outcomes = await Promise.allSettled([
          ...Array.from({ length: 200 }, (_, index) =>
            handlers[index % 2]!.handle({
              account: id,
              amount: (index % 7) - 3,
              parts: 1 + (index % 3),
            }),
          ),
          ...Array.from({ length: 10 }, () =>
            log.append(`account:${id}` as never, [bank.create('Deposited', { amount: 1 })]),
          ),
        ]);
        for (const outcome of outcomes) {
          ok(
            outcome.status === 'fulfilled' || outcome.reason instanceof NotEnoughMoney,
            String(outcome),
          );
        }
        const { state } = await handle(log, account, { account: id, amount: 0 }, options);
        deepStrictEqual(state, await balanceIn(log, `account:${id}`));
        ok(state.balance >= 0);
        await Promise.all(handlers.map((handler) => handler.close()));
      },
    );

    suite.it(
      'handles a command once under its ID, also when it would be refused by now',
      async ({ log }) => {
        const id = randomId();
        const commandId = `process/${id}/0`;
        await handle(log, account, { account: id, amount: 5 });
        const take = () =>
          handle(log, account, { account: id, amount: -5, parts: 1 }, { commandId });
        const first = await take();
        const again = await take();
        strictEqual(first.duplicate, false);
        strictEqual(again.duplicate, true);
        deepStrictEqual(again.events, first.events);
        // Whatever another command under this ID would come to.
        for (const amount of [0, -6, 6]) {
          await rejects(handle(log, account, { account: id, amount }, { commandId }), {
            code: 'command_id_reused',
          });
        }

        // A probe of what the log does not know changes nothing and uses up nothing.
        const other = { account: id, amount: -5 };
        await rejects(
          handle(log, account, other, { commandId: `${commandId}/other` }),
          NotEnoughMoney,
        );
        deepStrictEqual(await balanceIn(log, `account:${id}`), { balance: 0, moves: 2 });
        await handle(log, account, { account: id, amount: 7 });
        const late = await handle(log, account, other, { commandId: `${commandId}/other` });
        strictEqual(late.duplicate, false);
        deepStrictEqual(late.state, { balance: 2, moves: 4 });
      },
    );

    suite.it('goes on from a snapshot when the log is trimmed', async ({ log, records }) => {
      const id = randomId();
      const name = `account:${id}` as never;
      const options = { snapshots: { records, every: 10 } };
      await handle(log, account, { account: id, amount: 1, parts: 12 }, options);
      await handle(log, account, { account: id, amount: 1 }, options);
      const snapshot = JSON.parse((await records.get(`snapshot:${name}:account`))!);
      await log.trim(name, snapshot.version);
      const { state } = await handle(log, account, { account: id, amount: 1 }, options);
      deepStrictEqual(state, { balance: 14, moves: 14 });
      await log.trim(name, (await log.read(name)).version);
      await rejects(handle(log, account, { account: id, amount: 1 }, options), {
        code: 'state_lost',
      });
    });
  });
}
