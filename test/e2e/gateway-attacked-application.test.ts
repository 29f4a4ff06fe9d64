/**
 * A customer against an application: the gateway as a process with plain `--auth jwt`, and beside it,
 * on the same store, a decider, a typed log, a projection, a reaction, a worker and a process manager
 * on the customers' logs. Nothing stops, and nobody is deceived.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { decider } from '../../src/decider/decider.ts';
import { commandHandler } from '../../src/decider/handling/command-handler.ts';
import { producerOf } from '../../src/decider/handling/command-id.ts';
import { accountLog, parseLogName } from '../../src/event/log-name.ts';
import type { Writers } from '../../src/event/senders.ts';
import { typedLog } from '../../src/live/typed-log.ts';
import { processManager } from '../../src/process-manager/process-manager.ts';
import { project } from '../../src/projection/project.ts';
import { react } from '../../src/projection/react.ts';
import { openStore, type Store } from '../../src/stores/open.ts';
import { defineEvents } from '../../src/typed/define-events.ts';
import { work } from '../../src/worker/work.ts';
import { RedisServer } from '../support/redis-server.ts';
import { type Command, listensOn, root, runMillrace, temporaryFolder } from './command.ts';
import { Client } from './gateway-client.ts';
import { AUDIENCE, bearer, ISSUER, SECRET } from './tokens.ts';

const shop = defineEvents({
  Ordered: z.object({ item: z.string().max(100), price: z.int().nonnegative() }),
  Notified: z.object({ text: z.string().max(100) }),
});

const CUSTOMER = 'mallory';
const log = accountLog(CUSTOMER);

let redis: RedisServer;
let store: Store;
let folder: ReturnType<typeof temporaryFolder>;
let servers: Command[];

beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')]);
}, 60_000);

beforeEach(async () => {
  folder = temporaryFolder();
  servers = [];
  redis = await RedisServer.start();
  store = await openStore(redis.url());
});

afterEach(async () => {
  await store.close();
  for (const server of servers) await server[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function serve(...flags: string[]): Promise<string> {
  const jwt = ['--auth', 'jwt', '--jwt-audience', AUDIENCE, '--jwt-issuer', ISSUER];
  const place = ['serve', '--port', '0', '--store', redis.url()];
  const env = { MILLRACE_JWT_SECRET: SECRET };
  const server = runMillrace([...place, ...jwt, ...flags], { cwd: folder.path, env });
  servers.push(server);
  return listensOn(server);
}

/** The application: what it sends out, shows and counts, by the events in the customers' logs. */
async function application(writers: Writers | undefined) {
  const own = { events: shop, writers, category: 'account' } as const;
  const quiet = { onNotice: () => {} };
  const orders = decider({
    ...{ name: 'orders', events: shop, writers, ...quiet },
    initial: { spent: 0 },
    log: () => log,
    decide: ({ item, price }: { item: string; price: number }, { spent }) => {
      if (spent + price > 100) throw new Error('that is more than the customer may spend');
      return shop.create('Ordered', { item, price });
    },
    evolve: ({ spent }, event) => ({
      spent: event.type === 'Ordered' ? spent + event.payload.price : spent,
    }),
  });
  const handler = commandHandler(store.log, orders);
  const shown: string[] = [];
  const indexed: string[] = [];
  const textOf = (event: { type: string; payload: unknown }) =>
    event.type === 'Notified' ? (event.payload as { text: string }).text : event.type;
  const spending = project(store, {
    ...{ ...own, ...quiet, name: 'spending', initial: () => ({ spent: 0 }) },
    on: { Ordered: ({ spent }, { payload }) => ({ spent: spent + payload.price }) },
  });
  const index = react(store, {
    ...{ ...own, ...quiet, name: 'index' },
    each: (event) => void indexed.push(textOf(event)),
  });
  const mailer = await work(store, {
    ...{ ...own, group: 'mailer', retries: { attempts: 1 } },
    handler: (event) => void shown.push(textOf(event)),
  });
  const confirming = await processManager(store, {
    ...{ ...own, name: 'confirming', retries: { attempts: 1 } },
    on: {
      Ordered: async ({ payload }, send) => {
        const confirm = decider({
          ...{ name: 'confirming', events: shop, writers, ...quiet, initial: 0 },
          decide: (text: string) => shop.create('Notified', { text }),
          evolve: (count) => count + 1,
        });
        await send(confirm, `you have ordered: ${payload.item}`, { to: log });
      },
    },
  });
  return {
    order: (item: string, price: number) =>
      handler.handle({ item, price }, { commandId: `order ${item}` }),
    /** All that it says and shows, once all that there is was worked on. */
    async results() {
      await confirming.drain();
      await mailer.drain();
      await Promise.all([spending.caughtUp(), index.caughtUp()]);
      const page = await typedLog(store.log, shop, { writers, ...quiet }).read(log);
      for (const worker of [mailer, confirming]) expect(await worker.deadLetters()).toEqual([]);
      expect([spending.status().state, index.status().state]).toEqual(['live', 'live']);
      return {
        shown,
        indexed,
        listed: page.events.map(textOf),
        spent: (await spending.get(log))?.spent ?? 0,
      };
    },
  };
}

/** What the customer tries; over HTTP, sockets and in plain text. @returns what was answered */
async function attack(url: string): Promise<readonly (number | string)[]> {
  const headers = await bearer(CUSTOMER);
  const post = async (event: object, more: Record<string, string> = {}) => {
    const body = JSON.stringify(event);
    const answer = await fetch(`${url}/accounts/${CUSTOMER}/events`, {
      ...{ method: 'POST', headers: { ...headers, ...more }, body },
    });
    return answer.status;
  };
  const notified = (payload: unknown, meta = {}) => ({ type: 'Notified', payload, meta });
  const answers: (number | string)[] = [
    await post({ type: 'Foo', payload: 1 }),
    await post(notified({ text: 'you have won' })),
    await post({ type: 'Ordered', payload: { item: 'a forged one', price: 0 } }),
    await post(notified({ text: 'x'.repeat(101) })),
    await post(notified(null)),
    await post(notified({ text: 'odd' }, { correlationId: 'x'.repeat(16_000) })),
    await post(notified({ text: 'future' }, { version: 9 })),
    await post(notified({ text: 'mine' }, { from: 'account:backend' })),
    await post(notified({ text: 'handled' }, { commandId: 'order book' })),
    // Whoever is the producer of a command first makes the command a duplicate.
    await post(
      { type: 'Ordered', payload: { item: 'nothing', price: 0 } },
      {
        ...{ 'producer-id': producerOf('order book').id },
        ...{ 'producer-epoch': '0', 'producer-seq': '0' },
      },
    ),
    await post({ type: 'AccountClosed', payload: {} }),
  ];
  const client = await Client.open(`${url.replace('http', 'ws')}/ws`, { headers });
  client.send(`event:${CUSTOMER}:Foo:in plain text`);
  client.send(`event:${CUSTOMER}:Notified:in plain text`);
  client.send('ping');
  await client.received(2);
  answers.push((await client.received(3)).some((text) => text.includes('forbidden')) ? 403 : 201);
  await client.close();
  return answers;
}

const TAKEN = [201, 201, 201, 201, 201, 201, 201, 201, 403, 403, 403, 201];

test('that counts its own events alone: it neither stops nor believes anything', async () => {
  const url = await serve();
  const { order, results } = await application('application');
  await order('tea', 60);
  expect(await attack(url)).toEqual(TAKEN);
  await order('book', 40);
  await expect(order('car', 1)).rejects.toThrow('more than the customer may spend');
  const seen = ['Ordered', 'you have ordered: tea', 'Ordered', 'you have ordered: book'];
  const { shown, indexed, listed, spent } = await results();
  expect(listed.toSorted()).toEqual(seen.toSorted());
  expect(shown).toEqual(listed);
  expect(indexed).toEqual(listed);
  expect(spent).toBe(100);
});

test('that has said nothing at all: it does not stop', async () => {
  const url = await serve();
  const { order, results } = await application(undefined);
  await order('tea', 60);
  expect(await attack(url)).toEqual(TAKEN);
  await order('book', 40);
  const { shown, indexed, listed, spent } = await results();
  expect(listed).toContain('you have ordered: book');
  // What fits the definitions counts, as it is said in the guide; what does not was passed over.
  expect(listed).toContain('you have won');
  expect(listed).not.toContain('future');
  expect(shown).toEqual(listed);
  expect(indexed).toEqual(listed);
  expect(spent).toBe(100);
});

test('behind a gateway that takes nothing, or only what clients are to say: nothing gets in', async () => {
  const { order, results } = await application(undefined);
  await order('tea', 60);
  expect(await attack(await serve('--append', 'none'))).toEqual(TAKEN.map(() => 403));
  const narrow = await serve('--append-types', 'account=Remarked');
  expect(await attack(narrow)).toEqual(TAKEN.map(() => 403));
  const { listed } = await results();
  expect(listed).toEqual(['Ordered', 'you have ordered: tea']);
  expect((await store.log.read(parseLogName(log))).events).toHaveLength(2);
});
