/**
 * A process with all that a store in a folder keeps, which does one thing of each kind as it is
 * told; like embedded-remote-child.mjs. Each thing has a number, and can be found again by it.
 */
import { createInterface } from 'node:readline';
import { EmbeddedLog } from '../../dist/stores/embedded/log/embedded-log.js';
import { openStore } from '../../dist/stores/open.js';

const LOG = 'account:1';
const event = (payload) => [{ type: 'Tested', payload }];
const ID = (number) => `${number + 1}-0`;

let store;
let group;

/** What is done before, and is not the matter. */
const preparations = {
  trim: (number) => store.log.append(`trimmed:${number}`, event('x'.repeat(10_000))),
  drop: (number) => rows(`dropped${number}`, number, null),
  work: async (number) => {
    group ??= await store.workQueues.join('group', { category: 'job' });
    await store.log.append(`job:${number}`, event(number));
  },
};

const kinds = {
  append: (number) => store.log.append(LOG, event(number)),
  events: (number) =>
    store.log.append(
      LOG,
      Array.from({ length: 20 }, () => event(`${number} ${'x'.repeat(5_000)}`)[0]),
    ),
  producer: (number) =>
    store.log.append(`producer:${number}`, event(number), {
      producer: { id: `p${number}`, epoch: 0, seq: 0 },
    }),
  trim: async (number) => {
    const log = `trimmed:${number}`;
    const { version } = await store.log.read(log, { limit: 1 });
    await store.log.trim(log, version);
  },
  record: (number) => store.records.compareAndSet(`record${number}`, null, 'x'.repeat(3_000)),
  rows: (number) => rows(`table${number}`, number, null),
  drop: (number) => store.readModels.drop(`dropped${number}`),
  join: (number) => store.workQueues.join(`group${number}`, { category: 'job' }),
  work: async (number) => {
    group ??= await store.workQueues.join('group', { category: 'job' });
    while (await group.look());
    const leased = await group.take(100, 0);
    const mine = leased.find(({ log }) => log === `job:${number}`);
    await group.settle([{ leased: mine, cursor: mine.told, next: 'done' }]);
  },
};

/** Whether the thing was done. */
const traces = {
  append: async (number) => (await payloads(LOG)).includes(number),
  events: async (number) => {
    const found = (await payloads(LOG)).filter((payload) => `${payload}`.startsWith(`${number} `));
    if (![0, 20].includes(found.length)) throw new Error(`${found.length} of 20 events`);
    return found.length === 20;
  },
  producer: async (number) => (await payloads(`producer:${number}`)).length === 1,
  trim: async (number) => (await payloads(`trimmed:${number}`)).length === 0,
  record: async (number) => (await store.records.get(`record${number}`)) !== null,
  rows: async (number) => (await store.readModels.checkpoint(`table${number}`)) !== null,
  drop: async (number) => (await store.readModels.checkpoint(`dropped${number}`)) === null,
};

const methods = {
  open: async (folder = process.argv[2]) => {
    store = await openStore(folder);
  },
  /** As it was before there was anything but the log, with a deletion that goes on when it is opened. */
  openLog: async (folder) => {
    const log = await EmbeddedLog.open(folder);
    await log.append(LOG, event('first'));
    const many = Array.from({ length: 900 }, () => event('x')[0]);
    const { version } = await log.append('trimmed:1', many);
    await log.trim('trimmed:1', version);
    await log.close();
  },
  prepare: (kind, number) => preparations[kind]?.(number),
  do: (kind, number) => kinds[kind](number),
  isDone: (kind, number) => traces[kind](number),
  /** The logs of jobs that are not done, for who joins anew. */
  jobs: async () => {
    const consumer = await store.workQueues.join('group', { category: 'job' });
    while (await consumer.look());
    const leased = await consumer.take(1_000, 0);
    return leased.map(({ log }) => log);
  },
  payloads: (log) => payloads(log),
  close: async () => {
    group = undefined;
    await store.close();
  },
};

async function rows(table, number, expected) {
  const changes = new Map(
    Array.from({ length: 5 }, (_, row) => [`row${row}`, JSON.stringify('x'.repeat(2_000))]),
  );
  const outcome = await store.readModels.commit(table, {
    changes,
    expected,
    next: ID(number),
    token: 1,
  });
  if (outcome !== 'committed') throw new Error(outcome);
}

async function payloads(log) {
  const { events } = await store.log.read(log, { limit: 1_000, maxBytes: 100_000_000 });
  return events.map(({ payload }) => payload);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [method, ...args] = JSON.parse(line);
  const answer = await Promise.resolve()
    .then(() => methods[method](...args))
    .then(
      (value) => ({ ok: typeof value === 'object' && method === 'do' ? null : (value ?? null) }),
      (error) => ({ code: error.code ?? 'bug', message: error.stack }),
    );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
