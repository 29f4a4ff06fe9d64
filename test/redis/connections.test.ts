/** The connections of a process to Redis: how many, what they are called, and what those who share one do to each other. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { openStore } from '../../src/stores/open.ts';
import { logNeeds } from '../../src/stores/redis/log/log-needs.ts';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { RedisPlace } from '../../src/stores/redis/place/redis-place.ts';
import { RedisReadModels } from '../../src/stores/redis/read-models/redis-read-models.ts';
import { RedisRecords } from '../../src/stores/redis/records/redis-records.ts';
import { RedisWorkQueues } from '../../src/stores/redis/work-queues/redis-work-queues.ts';
import { event } from '../../src/testing/contract/log/say.ts';
import { eventually } from '../support/eventually.ts';
import { randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';

let server: RedisServer;
let admin: Redis;

beforeAll(async () => {
  server = await RedisServer.start({ 'enable-debug-command': 'yes' });
  admin = new Redis(server.port);
});

afterAll(async () => {
  admin.disconnect();
  await server[Symbol.asyncDispose]();
});

/** The names of all connections of ours, in order. */
async function names(): Promise<string[]> {
  const clients = (await admin.client('LIST')) as string;
  return [...clients.matchAll(/ name=millrace-(\S+)/g)].map(([, name]) => name!).sort();
}

async function expectNames(...expected: string[]): Promise<void> {
  let found: string[] = [];
  await eventually(async () => {
    found = await names();
    return found.join() === expected.join();
  }).catch(() => expect(found).toEqual(expected));
}

it('are two for all that a store keeps, and one more for whoever waits', async () => {
  const store = await openStore(server.url());
  await expectNames('commands', 'publications');

  await Promise.all([
    store.log.append(randomLog(), [event('first')]),
    store.records.get('account_id'),
    store.readModels.checkpoint('balances@1'),
  ]);
  await expectNames('commands', 'publications');

  const unfollow = await store.log.followFeed(() => {});
  await expectNames('commands', 'feed', 'publications');
  const [first, second] = [await store.workQueues.join('one'), await store.workQueues.join('two')];
  await expectNames('commands', 'feed', 'publications', 'work', 'work');

  await first.leave();
  unfollow();
  await expectNames('commands', 'publications', 'work');
  await second.leave();
  await expectNames('commands', 'publications');
  await store.close();
  await expectNames();
});

it('are those of what is opened alone, and end with it', async () => {
  const opened = [
    await RedisRecords.open(server.url()),
    await RedisReadModels.open(server.url()),
    await RedisWorkQueues.open(server.url()),
  ];
  await expectNames('read-models', 'records', 'work-queues');
  await Promise.all(opened.map((each) => each.close()));
  await expectNames();
});

it('stay until the last who uses them has closed', async () => {
  const store = await openStore(server.url());
  await store.log.close();
  await expectNames('commands');
  await Promise.all([store.records.close(), store.readModels.close()]);
  await store.records.close();
  const consumer = await store.workQueues.join('three');
  expect(await consumer.lag()).toEqual(expect.any(Number));
  await store.workQueues.close();
  await expectNames();
});

it('do not stay where opening fails', async () => {
  const failing = RedisPlace.openFor(server.url(), {}, logNeeds, async (place) => {
    await RedisLog.on(place);
    throw new Error('of what is opened next');
  });
  await expect(failing).rejects.toThrow('of what is opened next');
  await expectNames();
});

/** What shares the commands: a log that is patient, and records that are not. */
async function openShared() {
  const shared = await RedisPlace.openFor(server.url(), {}, logNeeds, async (place) => ({
    place,
    log: await RedisLog.on(place, { sweepInterval: 0 }),
    records: RedisRecords.on(place, { replyTimeout: 500 }),
  }));
  // What is asked of a connection that was opened has been answered.
  await shared.place.commands.ping();
  onTestFinished(async () => {
    await Promise.all([shared.log.close(), shared.records.close()]);
  });
  return shared;
}

it('give up a late call alone, as long as answers come to others', async () => {
  const { place, log, records } = await openShared();
  const { stream } = place.commands;
  for (let time = 1; time <= 3; time += 1) void place.commands.call('DEBUG', 'SLEEP', '0.3');
  const append = log.append(randomLog(), [event('in between')]);
  await expect(records.get('account_id')).rejects.toMatchObject({ code: 'unavailable' });
  await expect(append).resolves.toMatchObject({ duplicate: false });
  expect(place.commands.stream).toBe(stream);
});

it('are given up by a late call over which nothing at all has come, and others are told', async () => {
  const { place, log, records } = await openShared();
  place.commands.call('DEBUG', 'SLEEP', '1.5').catch(() => {});
  const name = randomLog();
  // It goes out with the turn; records go at once.
  const append = log.append(name, [event('unknown')]);
  append.catch(() => {});
  await new Promise(setImmediate);
  const change = records.batch([{ key: 'ticket:late', value: '1' }]);
  await expect(change).rejects.toMatchObject({ code: 'outcome_unknown' });
  await expect(append).rejects.toMatchObject({ code: 'outcome_unknown' });
  await eventually(async () => (await log.read(name)).events.length === 1);
});
