/**
 * A process of the bank test, to be killed. argv: what it does, the store (a folder, `redis://…`, or
 * the `http://…` of a gateway), how many accounts there are.
 *
 *   commands   deposits, withdraws and asks for transfers, several at once; a line on standard
 *              output for each answer: [command, id, amount]. What was refused is not told.
 *   transfers  carries transfers out
 *   balances   keeps the table of balances
 *   all        what a single process does that has the folder: gateway, transfers, balances
 */
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGateway, createLive, handle, listen, openStore, project } from '../../dist/index.js';
import {
  account,
  balances,
  requestTransfer,
  runTransfers,
} from '../../examples/built/bank/bank.js';
import { GatewayLog } from './gateway-log.mjs';

const [role, location, accounts] = process.argv.slice(2);
const AT_ONCE = 2;
/** Before each command, at most, in milliseconds: work is not to pile up for minutes. */
const LONGEST_PAUSE = 40;
/** In milliseconds: short enough to see somebody else take over. */
const LEASE_TIME = 1_000;

const roles = {
  async commands() {
    const log = location.startsWith('http')
      ? new GatewayLog(location)
      : (await openStore(location)).log;
    tell(['ready']);
    await Promise.all(Array.from({ length: AT_ONCE }, () => live(log)));
  },
  async transfers() {
    await runTransfers(await openStore(location), { leaseTime: LEASE_TIME });
    tell(['ready']);
  },
  async balances() {
    project(await openStore(location), { ...balances, leaseTime: LEASE_TIME });
    tell(['ready']);
  },
  async all() {
    const store = await openStore(location);
    await runTransfers(store, { leaseTime: LEASE_TIME });
    project(store, { ...balances, leaseTime: LEASE_TIME });
    const { log } = store;
    const limits = { appendRate: 0 };
    const gateway = createGateway({
      ...{ log: trusting(log), live: createLive({ log }), limits },
      // Who may name commands, as the bank's deciders do.
      authenticate: async () => ({ account: 'bank', claims: { admin: true } }),
    });
    const server = await listen(gateway, { port: Number(process.env.PORT) });
    tell(['ready', server.url]);
  },
};
/** Whoever decides the bank's commands elsewhere is the bank: its events carry no mark of a client. */
function trusting(log) {
  const append = (name, events, options) =>
    log.append(
      name,
      events.map(({ meta: { from: _, ...meta } = {}, ...event }) => ({ ...event, meta })),
      options,
    );
  return new Proxy(log, {
    get: (_, name) => (name === 'append' ? append : Reflect.get(log, name).bind(log)),
  });
}

await roles[role]();

async function live(log) {
  for (;;) {
    await sleep(below(LONGEST_PAUSE));
    try {
      tell(await act(log));
    } catch (error) {
      // A refusal (not enough money), or a store that is away for a moment.
      if (error.code === undefined && !/there is only/.test(error.message)) throw error;
    }
  }
}

async function act(log) {
  const amount = 1 + below(100);
  const chance = Math.random();
  const id = randomUUID();
  if (chance < 0.5) {
    const transfer = { id, from: anAccount(), to: anAccount(), amount };
    await requestTransfer(log, transfer);
    return ['transfer', id, amount];
  }
  const command = chance < 0.8 ? 'deposit' : 'withdraw';
  // The command's ID makes it safe to repeat whatever did not get an answer.
  await handle(log, account, { command, account: anAccount(), amount }, { commandId: id });
  return [command, id, amount];
}

function tell(answer) {
  // Synchronously: what was said cannot be taken back by the kill.
  writeSync(1, `${JSON.stringify(answer)}\n`);
}

function anAccount() {
  return String(below(Number(accounts)));
}

function below(limit) {
  return Math.floor(Math.random() * limit);
}
