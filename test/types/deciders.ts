/** What the compiler has to know of deciders: part of `npm run typecheck`, never run. */
import {
  commandHandler,
  decider,
  defineEvents,
  type EventLog,
  handle,
  type JsonValue,
  type Live,
  type RecordedOf,
  type StateOf,
  type,
  typedLog,
} from '../../src/index.ts';
import { specify } from '../../src/testing/testing.ts';
import { type Equal, expectType } from './expect-type.ts';

const bank = defineEvents({
  Deposited: type<{ amount: number }>(),
  Closed: type<{ reason: string }>(),
});

interface Move {
  readonly account: string;
  readonly amount: number;
}

// State from `initial`, event from `events`, command from the parameter of `decide`.
const account = decider({
  name: 'account',
  events: bank,
  initial: { balance: 0 },
  decide(command: Move, state) {
    expectType<Equal<typeof state, { balance: number }>>();
    if (command.amount === 0) return;
    return { type: 'Deposited', payload: { amount: command.amount } };
  },
  evolve(state, event) {
    expectType<Equal<typeof event, RecordedOf<typeof bank>>>();
    return event.type === 'Deposited' ? { balance: state.balance + event.payload.amount } : state;
  },
  log: (command) => `account:${command.account}`,
});
expectType<Equal<StateOf<typeof account>, { balance: number }>>();

// `log` before `decide`: its parameter has to be annotated as well.
const before = decider({
  name: 'before',
  events: bank,
  log: (command: Move) => `account:${command.account}`,
  initial: { balance: 0 },
  decide: (_command: Move, _state) => [bank.create('Closed', { reason: 'moved' })],
  evolve: (state) => state,
});

const base = { name: 'wrong', events: bank, initial: { balance: 0 } } as const;
decider({
  ...base,
  // @ts-expect-error there is no such event
  decide: (_command: Move) => ({ type: 'Depositd', payload: { amount: 1 } }),
  evolve: (state) => state,
});
decider({
  ...base,
  // @ts-expect-error the amount is a number
  decide: (_command: Move) => [{ type: 'Deposited', payload: { amount: '1' } }],
  evolve: (state) => state,
});
decider({
  ...base,
  decide: (_command: Move) => [],
  // @ts-expect-error this is no state
  evolve: () => ({ balance: 'none' }),
});
decider({
  ...base,
  decide: (_command: Move) => [],
  // @ts-expect-error there is no such event
  evolve: (state, event) => (event.type === 'Opened' ? state : state),
});
decider({
  ...base,
  // @ts-expect-error what is decided later is not decided
  decide: async (_command: Move) => [],
  evolve: (state) => state,
});

declare const log: EventLog;
declare const live: Live;

export async function handles(): Promise<void> {
  const handled = await handle(log, account, { account: '1', amount: 1 });
  expectType<Equal<typeof handled.state, { balance: number }>>();
  expectType<Equal<(typeof handled.events)[number], RecordedOf<typeof bank>>>();
  // @ts-expect-error the amount is missing
  await handle(log, account, { account: '1' });

  const handler = commandHandler(log, before);
  const { events } = await handler.handle({ account: '1', amount: 1 }, { commandId: 'a' });
  expectType<Equal<(typeof events)[number], RecordedOf<typeof bank>>>();
  // @ts-expect-error this is no command
  await handler.handle('close');

  const untyped = decider({
    name: 'untyped',
    initial: null as null | string,
    decide: (word: string) => ({ type: 'Said', payload: word }),
    evolve: (_state, event) => {
      expectType<Equal<typeof event.payload, JsonValue | Uint8Array>>();
      return event.type;
    },
  });
  const { state } = await handle(log, untyped, 'hello', { to: 'words:1' });
  expectType<Equal<typeof state, string | null>>();
}

export async function readsAndSubscribes(): Promise<void> {
  const accounts = typedLog(log, bank);
  await accounts.append('account:1', bank.create('Deposited', { amount: 1 }));
  await accounts.append('account:1', [{ type: 'Closed', payload: { reason: 'moved' } }]);
  // @ts-expect-error the payload belongs to another event
  await accounts.append('account:1', { type: 'Closed', payload: { amount: 1 } });
  const { events } = await accounts.read('account:1');
  expectType<Equal<(typeof events)[number], RecordedOf<typeof bank>>>();
  for await (const delivery of accounts.subscribe(live, 'account:1', 'now')) {
    if (delivery.kind === 'event') {
      expectType<Equal<typeof delivery.event, RecordedOf<typeof bank>>>();
    }
  }
}

const given = specify(account);
given([bank.create('Deposited', { amount: 1 })])
  .when({ account: '1', amount: 1 })
  .then([{ type: 'Deposited', payload: { amount: 1 } }]);
// @ts-expect-error there is no such event
given([{ type: 'Opened', payload: {} }]);
// @ts-expect-error the amount is missing
given([]).when({ account: '1' });
const when = given([]).when({ account: '1', amount: 1 });
// @ts-expect-error the payload belongs to another event
when.then({ type: 'Closed', payload: { amount: 1 } });
