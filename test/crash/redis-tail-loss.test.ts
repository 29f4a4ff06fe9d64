/**
 * A Redis whose append-only file loses its tail, as after a power cut with `appendfsync no`, or
 * when an older copy takes the place of a dead server. `kill -9` alone loses nothing, because the
 * kernel keeps what was written; so the test cuts the file.
 */
import { truncateSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogName } from '../../src/event/log-name.ts';
import { writeAppend } from '../../src/protocol/append-request.ts';
import { readAppended } from '../../src/protocol/appended.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import type { AppendRecord } from '../support/history.ts';
import { checkHistory } from '../support/history-checker.ts';
import { randomId, randomLog } from '../support/names.ts';
import { Reader } from '../support/reader.ts';
import { RedisServer } from '../support/redis-server.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { appendOnlyFile } from './append-only-file.ts';
import { cutReaders, killGateway, loseTailOf, stallReader, strikeAll } from './blows.ts';
import { Cast } from './cast.ts';
import { redisContents } from './contents.ts';

let redis: RedisServer;
let gateway: GatewayProcess;
let random: SeededRandom;
let readers: Reader[] = [];
let appends: Map<LogName, AppendRecord[]>;

beforeEach(async () => {
  random = SeededRandom.fromEnvironment();
  redis = await RedisServer.start({ appendonly: 'yes', appendfsync: 'no' });
  // Without sweeps: a lost connection alone must make every followed log suspect.
  gateway = await GatewayProcess.start({ store: redis.url(), flags: ['--sweep', '0'] });
  readers = [];
  appends = new Map();
});

afterEach(async () => {
  for (const reader of readers) reader.stop();
  // The gateway may not have started; then Redis must not be left behind.
  await gateway?.[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

describe('when Redis comes back without its last events', () => {
  it.each([
    ['nothing is appended since', 0],
    ['newer events have been appended since', 5],
  ])('and %s, every reader that saw a lost event is told reset', async (_, newer) => {
    const log = randomLog();
    await append(log, 20);
    const [connected, subscribed, away, early] = [
      reader('connected', log),
      reader('subscribed', log, 'subscribe'),
      reader('away', log),
      reader('early', log),
    ];
    await reached(log, ...readers);
    // It leaves before anything is lost, so it is owed no reset.
    early.stop();
    const kept = appendOnlyFile(redis.folder).size;
    await append(log, 20);
    await reached(log, connected, subscribed, away);
    away.stop();

    await loseTail(kept);
    if (newer > 0) await append(log, newer);
    // Those that stayed learn it by themselves, not from others that come back.
    await eventually(() => [connected, subscribed].every((each) => each.count('reset') === 1));
    away.start();
    early.start();
    await verdict(log);

    for (const told of [connected, subscribed, away]) expect(told.count('reset')).toBe(1);
    expect(early.count('reset')).toBe(0);
  });

  it('tells those that are paused or stalled when they read again', async () => {
    const log = randomLog();
    await append(log, 5);
    const stalled = reader('stalled', log);
    const paused = reader('paused', log);
    const kept = appendOnlyFile(redis.folder).size;
    await append(log, 5);
    await reached(log, stalled, paused);
    stalled.stall();
    paused.send({ op: 'pause' });
    await loseTail(kept);
    await append(log, 3);
    paused.send({ op: 'resume' });
    stalled.readAgain();
    await verdict(log);
    for (const told of [stalled, paused]) expect(told.count('reset')).toBe(1);
  });

  it('and the gateway was restarted as well, readers learn it when they reconnect', async () => {
    const log = randomLog();
    await append(log, 10);
    const resuming = reader('resuming', log);
    const kept = appendOnlyFile(redis.folder).size;
    await append(log, 10);
    await reached(log, resuming);
    await gateway.kill();
    await loseTail(kept);
    await gateway.start();
    await append(log, 2);
    await verdict(log);
    expect(resuming.count('reset')).toBe(1);
  });

  it('and a log is lost whole, its readers are told and start afresh with what comes', async () => {
    const lost = randomLog();
    const untouched = randomLog();
    await append(untouched, 5);
    const kept = appendOnlyFile(redis.folder).size;
    await append(lost, 5);
    const [waiting, served] = [reader('waiting', lost), reader('served', lost)];
    const bystander = reader('bystander', untouched);
    await reached(lost, waiting, served);
    await reached(untouched, bystander);
    await loseTail(kept, 0);
    await eventually(() => waiting.count('reset') === 1 && served.count('reset') === 1);
    await append(lost, 3);
    await append(untouched, 3);
    await verdict(lost);
    await verdict(untouched);
    expect(bystander.count('reset')).toBe(0);
  });
});

describe('under load', () => {
  it('every reader that saw a lost event is told reset, again and again', async () => {
    const cast = new Cast(
      { logs: 5, writers: 20, readers: 20, lossyStore: true },
      gateway.webSocket(''),
      random,
    );
    cast.start();
    try {
      const blows = [
        loseTailOf(4, redis, random),
        killGateway(1, gateway, random),
        cutReaders(4, cast, random),
        stallReader(2, cast, random),
      ];
      await strikeAll(blows, random);
      const histories = await cast.settle((log) => redisContents(redis.url(), log));
      expect(cast.problems(histories), `seed ${random.seed}`).toEqual([]);
      const resets = cast.readers.reduce((sum, each) => sum + each.count('reset'), 0);
      expect(resets, `seed ${random.seed}`).toBeGreaterThan(10);
    } finally {
      cast.stop();
    }
  }, 120_000);
});

function reader(name: string, log: LogName, via: 'account' | 'subscribe' = 'account'): Reader {
  const options = { name: `${name}-${randomId()}`, log, gateway: gateway.webSocket(''), via };
  const made = new Reader(options).start();
  readers.push(made);
  return made;
}

/** Over HTTP, so that it is known of each event whether it was acknowledged. */
async function append(log: LogName, count: number): Promise<void> {
  const records = appends.get(log) ?? [];
  appends.set(log, records);
  for (let index = 0; index < count; index += 1) {
    const tag = `${log}/${records.length}`;
    const response = await fetch(gateway.http(`/logs/${log}/events`), {
      method: 'POST',
      ...writeAppend({ events: [{ type: 'Written', payload: tag }] }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`append to ${log}: ${response.status} ${text}`);
    const { ids } = readAppended(text);
    records.push({ writer: 'test', tags: [tag], ids, outcome: 'acknowledged' });
  }
}

async function reached(log: LogName, ...some: Reader[]): Promise<void> {
  const last = appends.get(log)?.at(-1)?.ids[0];
  await eventually(() => some.every(({ cursor }) => cursor === last));
}

/** Kills Redis, and starts it again with its append-only file cut somewhere after `kept` bytes. */
async function loseTail(kept: number, more = random.next()): Promise<void> {
  await redis.kill();
  const { path, size } = appendOnlyFile(redis.folder);
  truncateSync(path, kept + Math.floor((size - kept - 1) * more));
  await redis.start();
}

/** Lets all readers of the log come to its end, and checks what they went through. */
async function verdict(log: LogName): Promise<void> {
  const events = await redisContents(redis.url(), log);
  const ours = readers.filter((each) => each.log === log);
  await eventually(() => {
    for (const { name, cursor } of ours) expect(cursor, name).toBe(events.at(-1)?.id ?? '0-0');
  });
  const history = { log, events, appends: appends.get(log) ?? [], lossyStore: true };
  const found = checkHistory({ ...history, readers: ours.map((each) => each.history) });
  expect(found, `seed ${random.seed}`).toEqual([]);
}
