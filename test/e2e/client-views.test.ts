/** Views and commands of real clients, against a real gateway. */
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  type Client,
  connect,
  defineEvents,
  handle,
  type,
  type ViewState,
  view,
} from '../../src/client/client.ts';
import { decider } from '../../src/decider/decider.ts';
import { readState } from '../../src/decider/handling/state.ts';
import { listen } from '../../src/gateway/node/listen.ts';
import type { EventLog } from '../../src/log/log.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway } from './gateway-client.ts';

const VAULT = 'vault:1';
const bank = defineEvents({ Deposited: type<number>(), Withdrawn: type<number>() });

const vault = decider({
  name: 'vault',
  events: bank,
  initial: 0,
  log: () => VAULT,
  decide(command: { readonly by: number }, balance) {
    if (balance + command.by < 0) throw new Error('not enough');
    return command.by > 0
      ? bank.create('Deposited', command.by)
      : bank.create('Withdrawn', -command.by);
  },
  evolve: (balance, { type: kind, payload }) =>
    balance + (kind === 'Deposited' ? payload : -payload),
});

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function started(log: EventLog, port = 0) {
  const gateway = await startGateway({ log }, (made) => listen(made, { port }));
  opened.push(() => gateway.listening.close(0));
  return gateway;
}

function client(url: string, account: string): Client {
  const made = connect(url, { account, WebSocket });
  opened.push(() => made.close());
  return made;
}

test('commands of several clients at once keep to the rules, and all views come to the same', async () => {
  const log = new MemoryLog();
  const { url } = await started(log);
  const clients = ['ada', 'ben', 'eve'].map((account) => client(url, account));
  await handle(clients[0]!, vault, { by: 10 });
  const states: ViewState<number>[] = [];
  const views = clients.map((one) => view(one.log(VAULT), vault));
  for (const one of views) one.subscribe(() => states.push(one.get()));

  const attempts = clients.flatMap((one) =>
    Array.from({ length: 5 }, () => handle(one, vault, { by: -1 })),
  );
  const outcomes = await Promise.allSettled(attempts);
  const done = outcomes.filter(({ status }) => status === 'fulfilled');
  expect(done).toHaveLength(10);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason.message).toBe('not enough');
  }
  const { state, version } = await readState(log, vault, VAULT);
  expect(state).toBe(0);
  await eventually(() => views.every((one) => one.get().cursor === version));
  for (const one of views) {
    await eventually(() => one.get().pending.length === 0);
    expect(one.get()).toMatchObject({ state: 0, confirmed: 0, isCurrent: true });
  }
  expect(states.every(({ confirmed }) => confirmed >= 0)).toBe(true);
});

test('what is decided while the gateway is away is shown, and decided again when it is back', async () => {
  const log = new MemoryLog();
  const gateway = await started(log);
  const ada = client(gateway.url, 'ada');
  const seen = view(ada.log(VAULT), vault);
  seen.subscribe(() => {});
  await handle(ada, vault, { by: 10 });
  await gateway.listening.close(0);
  await eventually(() => ada.connection.get().status === 'offline');

  const outcomes = [-6, -4].map((by) =>
    handle(ada, vault, { by }).then(
      ({ events }) => events.map(({ payload }) => payload),
      (error: Error) => error.message,
    ),
  );
  await eventually(() => seen.get().pending.length === 2);
  expect(seen.get()).toMatchObject({ state: 0, confirmed: 10, isCurrent: false });
  await log.append(ada.log(VAULT).name, [bank.encode(bank.create('Withdrawn', 5))]);

  await started(log, Number(new URL(gateway.url).port));
  expect(await Promise.all(outcomes)).toEqual(['not enough', [4]]);
  await eventually(() => seen.get().pending.length === 0 && seen.get().isCurrent);
  expect(seen.get()).toMatchObject({
    state: 1,
    refusals: [{ failure: { message: 'not enough' } }],
  });
});
