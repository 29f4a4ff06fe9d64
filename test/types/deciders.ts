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

// A state of several kinds, and one whose fields say what they may be.
type Order =
  | { readonly status: 'open' }
  | { readonly status: 'paid' | 'sent'; readonly lines: readonly string[] };

const order = decider({
  name: 'order',
  events: bank,
  initial: { status: 'open' },
  decide(_command: 'pay' | 'send', state: Order) {
    if (state.status === 'paid') return bank.create('Closed', { reason: state.lines.join() });
    return;
  },
  evolve(state, event): Order {
    expectType<Equal<typeof state, Order>>();
    if (event.type === 'Closed') return { status: 'sent', lines: [] };
    return state.status === 'sent' ? { status: 'paid', lines: state.lines } : { status: 'open' };
  },
  log: () => 'order:1',
});
expectType<Equal<StateOf<typeof order>, Order>>();

// `decide` that looks at no state, so that `evolve` has to say it.
const noted = decider({
  name: 'noted',
  events: bank,
  initial: { status: 'open' },
  decide: (_command: string) => [],
  evolve: (state: Order, event): Order =>
    event.type === 'Closed' ? { status: 'paid', lines: ['all'] } : state,
});
expectType<Equal<StateOf<typeof noted>, Order>>();

decider({
  ...base,
  // @ts-expect-error no order begins like that
  initial: { status: 'lost' },
  decide: (_command: 'pay', _state: Order) => undefined,
  evolve: (state): Order => state,
});
decider({
  ...base,
  initial: { status: 'open' },
  decide: (_command: 'pay', _state: Order) => undefined,
  // @ts-expect-error there is no such state
  evolve: (_state, _event): Order => ({ status: 'lost' }),
});

export async function handlesOrders(): Promise<void> {
  const { state } = await handle(log, order, 'pay');
  expectType<Equal<typeof state, Order>>();
  const handled = await commandHandler(log, noted).handle('x', { to: 'order:2' });
  expectType<Equal<typeof handled.state, Order>>();
}
