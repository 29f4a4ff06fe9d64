/**
 * A whole application in one process, with one line for its end. argv: the store, and `stuck` for
 * handlers that never come to their end. Prints the address of its gateway when all runs. Told SIGTERM, it has to come to its end by itself: nothing here
 * exits, so that whatever is left over would keep it alive.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Closed,
  commandHandler,
  createAccounts,
  createGateway,
  createLive,
  decider,
  listen,
  openStore,
  processManager,
  project,
  react,
  subscribe,
  work,
} from '../../dist/index.js';

const [location, isStuck] = process.argv.slice(2);
const store = await openStore(location);
const { log, records } = store;
process.once('SIGTERM', () => store.close(isStuck ? 100 : undefined));
const never = new Promise(() => {});

const counter = decider({
  name: 'counter',
  initial: 0,
  log: ({ to }) => to,
  decide: ({ from }) => ({ type: 'Counted', payload: { from } }),
  evolve: (sum) => sum + 1,
});
const handler = commandHandler(log, counter, { snapshots: { records, every: 1 } });
const live = createLive({ log });
const accounts = createAccounts({ log, records });
const server = await listen(createGateway({ log, live, records, accounts }), { port: 0 });
project(store, {
  name: 'counts',
  category: 'count',
  initial: () => 0,
  on: { Counted: (count) => count + 1 },
});
react(store, { name: 'told', category: 'account', each: () => (isStuck ? never : undefined) });
const done = [];
await work(store, {
  group: 'slow',
  category: 'account',
  async handler({ log: from, id }) {
    process.stdout.write(`begun ${id}\n`);
    await (isStuck ? never : sleep(300));
    await handler.handle({ to: `count:${from.slice('account:'.length)}`, from: id });
    done.push(id);
  },
});
await processManager(store, {
  name: 'chain',
  category: 'count',
  on: { Counted: (event, send) => send(counter, { to: 'chain:1', from: event.id }) },
});
const loops = ['account:1', 'count:1'].map(async (name) => {
  try {
    for await (const _ of subscribe(live, name, { after: '0-0' }));
  } catch (error) {
    return error instanceof Closed ? 'closed' : String(error);
  }
});
process.stdout.write(`ready ${server.url}\n`);
const ends = await Promise.all(loops);
// Whatever was begun is done by now, and the loops were told.
process.stdout.write(`ended ${JSON.stringify({ ends, done })}\n`);
