/**
 * A process whose store has a worker and a projection at work; it does as it is told, like
 * embedded-remote-child.mjs.
 */
import { createInterface } from 'node:readline';
import { project } from '../../dist/projection/project.js';
import { openStore } from '../../dist/stores/open.js';
import { work } from '../../dist/worker/work.js';

let store;
let projection;
let worker;
let handled = 0;

const methods = {
  open: async () => {
    store = await openStore(process.argv[2]);
  },
  start: async () => {
    worker = await work(store, {
      group: 'busy',
      category: 'account',
      handler: async () => {
        handled += 1;
      },
    });
    projection = project(store, {
      name: 'busy',
      version: 1,
      category: 'account',
      initial: () => ({ events: 0 }),
      on: {
        Tested(state) {
          state.events += 1;
        },
      },
    });
    await projection.caughtUp();
  },
  append: async (appends) => {
    const events = Array.from({ length: 10 }, () => ({
      type: 'Tested',
      payload: 'x'.repeat(3_000),
    }));
    for (let index = 0; index < appends; index++) {
      await store.log.append(`account:${index % 10}`, events);
    }
  },
  trim: async (log) => {
    const { version } = await store.log.read(log, { limit: 1 });
    await store.log.trim(log, version);
  },
  status: async () => {
    let counted = 0;
    for (let log = 0; log < 10; log++) {
      counted += (await projection.get(`account:${log}`))?.events ?? 0;
    }
    return { lag: await worker.lag(), projection: projection.status().state, counted, handled };
  },
  close: async () => {
    await projection.stop();
    await worker.stop();
    await store.close();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [method, ...args] = JSON.parse(line);
  const answer = await methods[method](...args).then(
    (value) => ({ ok: value ?? null }),
    ({ code = 'bug', stack }) => ({ code, message: stack }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
