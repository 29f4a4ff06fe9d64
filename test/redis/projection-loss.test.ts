/**
 * What runs on the feed while Redis loses its data: what is kept in Redis decides, always, so that
 * a projection which runs does what one does that is started then.
 */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type Projection, project } from '../../src/projection/project.ts';
import { type Reaction, react } from '../../src/projection/react.ts';
import { MemoryReadModels } from '../../src/stores/memory/read-models/memory-read-models.ts';
import { openStore, type Store } from '../../src/stores/open.ts';
import { eventually } from '../support/eventually.ts';
import { RedisServer } from '../support/redis-server.ts';
import { account, type Balance, balances, QUICK, rowsOf } from '../unit/projection/memory-store.ts';

let server: RedisServer;
let admin: Redis;
let store: Store;

beforeAll(async () => {
  server = await RedisServer.start();
  admin = new Redis(server.url());
  store = await openStore(server.url());
});

afterAll(async () => {
  await store.close();
  admin.disconnect();
  await server[Symbol.asyncDispose]();
});

async function deposit(id: number, amount: number): Promise<void> {
  await store.log.append(account(id), [{ type: 'Deposited', payload: { amount } }]);
}

function start(definition: Partial<Parameters<typeof project>[1]> = {}): Projection<Balance> {
  const projection = project(store, { ...balances, ...QUICK, ...(definition as object) });
  onTestFinished(() => projection.stop());
  return projection;
}

const ROUNDS = 8;

it('goes on with what comes then, when all is gone, its rows too', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    await admin.flushall();
    const projection = start();
    const done: string[] = [];
    const reaction: Reaction = react(store, {
      ...QUICK,
      name: 'r',
      each: ({ log }) => void done.push(log),
    });
    onTestFinished(() => reaction.stop());
    await deposit(1, 5);
    await deposit(2, 6);
    await Promise.all([projection.caughtUp(), reaction.caughtUp()]);

    await admin.flushall();
    // Sometimes at once, so that the feed is as long as it was before; sometimes when it was seen.
    if (round % 2 === 0) await eventually(() => projection.status().end === 0);
    await deposit(3, 7);
    if (round % 4 > 1) await deposit(3, 1);
    await Promise.all([projection.caughtUp(), reaction.caughtUp()]);
    const events = round % 4 > 1 ? 2 : 1;
    expect(await rowsOf(projection)).toEqual({
      'account:3': { balance: events === 2 ? 8 : 7, events },
    });
    expect(done.slice(2)).toEqual(Array(events).fill('account:3'));
    expect([projection.status().state, reaction.status().state]).toEqual(['live', 'live']);
    await Promise.all([projection.stop(), reaction.stop()]);
  }
});

it('ends with feed_reset, when its rows know what is gone', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    await admin.flushall();
    const readModel = new MemoryReadModels();
    const projection = start({ readModel });
    await deposit(1, 5);
    await deposit(2, 6);
    await projection.caughtUp();

    await admin.flushall();
    if (round % 2 === 0) {
      await deposit(3, 7);
      if (round % 4 > 1) await deposit(3, 1);
    }
    await projection.ended();
    expect(projection.status()).toMatchObject({ state: 'failed', error: { code: 'feed_reset' } });
    expect(await rowsOf(projection)).toMatchObject({ 'account:1': { balance: 5 } });
  }
});

it('goes on from what its rows know, when rows and events are older together', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    await admin.flushall();
    const projection = start();
    await deposit(1, 5);
    await projection.caughtUp();
    const keys = await admin.keys('*');
    const dumps = await Promise.all(keys.map((key) => admin.dumpBuffer(key)));
    await deposit(1, 6);
    await projection.caughtUp();

    // In one step, as a failover does.
    const restoring = admin.multi().flushall();
    for (const [index, key] of keys.entries()) {
      if (!key.startsWith('lease:')) restoring.restore(key, 0, dumps[index]!);
    }
    await restoring.exec();
    if (round % 2 === 0) await eventually(() => projection.status().end === 1);
    await deposit(1, 7);
    await projection.caughtUp();
    expect(await rowsOf(projection)).toEqual({ 'account:1': { balance: 12, events: 2 } });
    expect(projection.status().state).toBe('live');
    await projection.stop();
  }
});

it('tells who waits for what is gone', async () => {
  await admin.flushall();
  let release = (): void => {};
  const handling = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reaction = react(store, {
    ...QUICK,
    name: 'r',
    each: ({ log }) => (log === account(2) ? handling : undefined),
  });
  onTestFinished(() => reaction.stop());
  await deposit(1, 5);
  await reaction.caughtUp();
  await deposit(2, 6);
  const waiting = reaction.caughtUp();
  waiting.catch(() => {});
  await admin.flushall();
  release();
  await expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
  await deposit(3, 7);
  await reaction.caughtUp();
  expect(reaction.status()).toMatchObject({ state: 'live', position: 1, end: 1 });
});

it('leaves nothing out that came before the loss was noticed, also of a reaction from now on', async () => {
  await admin.flushall();
  const done: string[] = [];
  const reaction = react(store, {
    ...QUICK,
    name: 'r',
    from: 'now',
    each: ({ log }) => void done.push(log),
  });
  onTestFinished(() => reaction.stop());
  await reaction.caughtUp();
  await deposit(1, 5);
  await reaction.caughtUp();
  await admin.flushall();
  await deposit(2, 6);
  await reaction.caughtUp();
  expect(done).toEqual(['account:1', 'account:2']);
});

it('tells an instance that waits for its turn, and it goes on as well', async () => {
  await admin.flushall();
  const [first, second] = [start(), start()];
  await deposit(1, 5);
  await deposit(2, 6);
  await Promise.all([first.caughtUp(), second.caughtUp()]);
  await eventually(() => [first, second].some((each) => each.status().state === 'waiting'));
  await admin.flushall();
  await eventually(() => [first, second].every((each) => each.status().position === 0));
  await deposit(3, 7);
  for (const each of [first, second]) {
    await each.caughtUp();
    expect(await rowsOf(each)).toEqual({ 'account:3': { balance: 7, events: 1 } });
  }
});
