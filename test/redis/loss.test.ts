/**
 * A log that is gone, or older than what was read of it, whatever took it away: its connected
 * readers are told by the sweep, whether or not anything is ever appended to it again.
 */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { ZERO_ID } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import { createLive } from '../../src/live/create-live.ts';
import type { Delivery } from '../../src/live/delivery.ts';
import { subscribe } from '../../src/live/subscribe.ts';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { RecordingFollower } from '../../src/testing/contract/log/recording-follower.ts';
import { appendMany, appendOne } from '../../src/testing/contract/log/say.ts';
import { eventually } from '../support/eventually.ts';
import { randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';

const SWEEP = 50;

let server: RedisServer;
let admin: Redis;

beforeAll(async () => {
  server = await RedisServer.start({ 'enable-debug-command': 'yes' });
  admin = new Redis(server.url());
});

afterAll(async () => {
  admin.disconnect();
  await server[Symbol.asyncDispose]();
});

async function openLog(): Promise<RedisLog> {
  const eventLog = await RedisLog.open(server.url(), { sweepInterval: SWEEP });
  onTestFinished(() => eventLog.close());
  return eventLog;
}

/** Reads on in a loop, as an application does; what it was told, in words. */
function read(eventLog: RedisLog, log: LogName): string[] {
  const live = createLive({ log: eventLog });
  onTestFinished(() => live.close());
  const told: string[] = [];
  const loop = async () => {
    for await (const delivery of subscribe(live, log, { after: ZERO_ID })) told.push(say(delivery));
  };
  loop().catch((error: { code: string }) => told.push(`failed ${error.code}`));
  return told;
}

function say(delivery: Delivery): string {
  if (delivery.kind === 'event') return String(delivery.event.payload);
  return delivery.kind === 'reset' ? `reset ${delivery.version}` : delivery.kind;
}

type Remove = (key: string) => Promise<unknown>;

const GONE: readonly (readonly [how: string, remove: Remove])[] = [
  ['DEL', (key) => admin.del(key)],
  ['UNLINK', (key) => admin.unlink(key)],
  ['PEXPIRE', (key) => admin.pexpire(key, 1)],
  ['RENAME', (key) => admin.rename(key, `${key}:aside`)],
  ['MOVE', (key) => admin.move(key, 1)],
  ['FLUSHDB', () => admin.flushdb()],
  ['FLUSHALL', () => admin.flushall()],
  ['SWAPDB', () => admin.swapdb(0, 2)],
];

it.each(GONE)('%s tells a reader that has seen all of it', async (_how, remove) => {
  const eventLog = await openLog();
  const log = randomLog();
  const told = read(eventLog, log);
  await appendMany(eventLog, log, 2);
  await eventually(() => told.includes('live') && told.length === 3);

  await remove(`${log}:log`);
  await eventually(() => told.length === 5);
  expect(told.slice(3)).toEqual(['reset 0-0', 'live']);
  // And it goes on with what comes then.
  await appendOne(eventLog, log, 'afresh');
  await eventually(() => told.at(-1) === 'afresh');
  expect(told).toHaveLength(6);
});

const OLDER: readonly (readonly [
  how: string,
  take: (key: string) => Promise<() => Promise<unknown>>,
])[] = [
  [
    'RESTORE',
    async (key) => {
      const dump = await admin.dumpBuffer(key);
      return () => admin.restore(key, 0, dump, 'REPLACE');
    },
  ],
  [
    'COPY',
    async (key) => {
      await admin.copy(key, `${key}:aside`);
      return () => admin.copy(`${key}:aside`, key, 'REPLACE');
    },
  ],
  [
    'RENAME of another',
    async (key) => {
      await admin.copy(key, `${key}:aside`);
      return () => admin.rename(`${key}:aside`, key);
    },
  ],
  [
    // The connections stay, as behind a proxy that changes servers.
    'a reload from disk',
    async () => {
      await admin.save();
      return () => admin.call('DEBUG', 'RELOAD', 'NOSAVE');
    },
  ],
];

it.each(OLDER)('%s of an older one tells a reader of a newer one', async (_how, take) => {
  const eventLog = await openLog();
  const log = randomLog();
  const told = read(eventLog, log);
  const kept = await appendOne(eventLog, log, 'kept');
  const putBack = await take(`${log}:log`);
  await appendOne(eventLog, log, 'lost');
  await eventually(() => told.includes('live') && told.includes('lost'));
  const before = told.length;

  await putBack();
  await eventually(() => told.length === before + 3);
  expect(told.slice(before)).toEqual([`reset ${kept}`, 'kept', 'live']);
});

it('is told the reader once, when something is appended at once', async () => {
  const eventLog = await openLog();
  const log = randomLog();
  const told = read(eventLog, log);
  for (let round = 0; round < 50; round += 1) {
    const id = await appendOne(eventLog, log, `before ${round}`);
    await eventually(() => told.includes(`before ${round}`));
    const seen = told.length;
    // An ID that is given out again within its millisecond cannot be told from the first one.
    await eventually(() => Date.now() > Number(id.split('-')[0]) + 1, { interval: 1 });
    await admin.del(`${log}:log`);
    await appendOne(eventLog, log, `after ${round}`);
    await eventually(() => told.length >= seen + 3);
    expect(told.slice(seen).map((line) => line.split(' ')[0])).toEqual(['reset', 'after', 'live']);
  }
});

it('fails the reader of a log whose key holds something else now', async () => {
  const eventLog = await openLog();
  const log = randomLog();
  const told = read(eventLog, log);
  await appendOne(eventLog, log, 'one');
  await eventually(() => told.includes('live') && told.includes('one'));
  await admin.set(`${log}:log`, 'not a log');
  await eventually(() => told.at(-1) === 'failed wrong_type');
});

it('tells a reader of a log with large events too', async () => {
  const eventLog = await openLog();
  const log = randomLog();
  const told = read(eventLog, log);
  await appendOne(eventLog, log, 'x'.repeat(100_000));
  await eventually(() => told.includes('live') && told.length === 2);
  const dump = await admin.dumpBuffer(`${log}:log`);
  await appendOne(eventLog, log, 'y'.repeat(100_000));
  await eventually(() => told.length === 3);
  await admin.restore(`${log}:log`, 0, dump, 'REPLACE');
  await eventually(() => told.length === 6);
  expect(told[3]).toMatch(/^reset /);
  await admin.del(`${log}:log`);
  await eventually(() => told.length === 8);
  expect(told[6]).toBe('reset 0-0');
});

it('tells all readers of many logs, in whatever order they came', async () => {
  const eventLog = await openLog();
  const logs = Array.from({ length: 250 }, randomLog);
  await Promise.all(logs.map((log) => appendOne(eventLog, log, 'one')));
  const live = createLive({ log: eventLog });
  onTestFinished(() => live.close());
  let caughtUp = 0;
  const reset = new Set<LogName>();
  for (const log of logs) {
    live.subscribe(
      log,
      { after: ZERO_ID },
      {
        ready: () => true,
        batch: () => {},
        live: () => {
          caughtUp += 1;
        },
        trimmed: () => {},
        reset: () => reset.add(log),
        failed: () => {},
      },
    );
  }
  await eventually(() => caughtUp === logs.length);
  const gone = logs.filter((_, index) => index % 3 === 0);
  await admin.del(...gone.map((log) => `${log}:log`));
  await eventually(() => reset.size === gone.length);
  expect([...reset].sort()).toEqual([...gone].sort());
});

it('comes to each log in turn, when there are more than are looked at closely in one round', async () => {
  const eventLog = await openLog();
  const logs = Array.from({ length: 2_500 }, randomLog);
  const followers = logs.map(() => new RecordingFollower());
  await Promise.all(logs.map((log, index) => eventLog.follow(log, followers[index]!)));
  await Promise.all(logs.map((log) => appendOne(eventLog, log, 'kept')));
  const [first, last] = [0, logs.length - 1].map((index) => `${logs[index]!}:log`);
  const dumps = await Promise.all([admin.dumpBuffer(first!), admin.dumpBuffer(last!)]);
  await Promise.all(logs.map((log) => appendOne(eventLog, log, 'lost')));
  await eventually(() => followers.every(({ told }) => told.length === 2));
  const before = followers.map(({ wakes }) => wakes);
  await admin.restore(first!, 0, dumps[0]!, 'REPLACE');
  await admin.restore(last!, 0, dumps[1]!, 'REPLACE');
  const woken = () =>
    followers.flatMap(({ wakes }, index) => (wakes > before[index]! ? index : []));
  await eventually(() => woken().length === 2);
  expect(woken()).toEqual([0, logs.length - 1]);
});
