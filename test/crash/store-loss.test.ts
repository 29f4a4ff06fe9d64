/** What clients see of a Redis that dies, freezes and comes back, and of events that others write into it. */
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventId } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { checkHistory } from '../support/history-checker.ts';
import { randomId, randomLog } from '../support/names.ts';
import { Reader } from '../support/reader.ts';
import { RedisServer } from '../support/redis-server.ts';
import { Writer } from '../support/writer.ts';
import { redisContents } from './contents.ts';

/** How long an append may wait for Redis in these tests, in milliseconds. */
const APPEND_WAIT = 1_500;

let redis: RedisServer;
let gateway: GatewayProcess;
const clients: { stop(): void }[] = [];

beforeEach(async () => {
  redis = await RedisServer.start({ appendonly: 'yes', appendfsync: 'always' });
  const flags = ['--append-wait', `${APPEND_WAIT}ms`];
  gateway = await GatewayProcess.start({ store: redis.url(), flags });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.stop();
  // The gateway may not have started; then Redis must not be left behind.
  await gateway?.[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

describe('while Redis is dead', () => {
  it('sockets stay, and catch up by themselves with what they could not hear', async () => {
    const logs = [randomLog(), randomLog(), randomLog()];
    const readers = logs.map((log) => reader(log));
    for (const log of logs) await append(log);
    await eventually(() => readers.every((each) => each.count('event') === 1));

    await redis.kill();
    await redis.start();
    // Written before the gateway is back: nobody publishes these.
    const direct = new Redis(redis.url());
    for (const log of logs) await direct.xadd(`${log}:log`, '*', 'type', 'Foreign', 'payload', 'x');
    direct.disconnect();

    await eventually(() => readers.every((each) => each.count('event') === 2));
    for (const each of readers) {
      expect(each.count('connected')).toBe(1);
      expect(each.errors).toEqual([]);
    }
  });

  it('an append waits up to its bound, then fails with unavailable, and did not happen', async () => {
    const log = randomLog();
    const watching = reader(log);
    await eventually(() => watching.live);
    await redis.kill();
    const began = performance.now();
    const answers = await Promise.all([append(log), append(log), append(log)]);
    const waited = performance.now() - began;
    for (const { status, code } of answers) {
      expect({ status, code }).toEqual({ status: 503, code: 'unavailable' });
    }
    expect(waited).toBeGreaterThan(APPEND_WAIT * 0.9);
    expect(waited).toBeLessThan(APPEND_WAIT + 2_000);
    expect(watching.connected).toBe(true);

    await redis.start();
    await eventually(async () => expect((await append(log)).status).toBeLessThan(300));
    expect(await redisContents(redis.url(), log)).toHaveLength(1);
    await eventually(() => watching.count('event') === 1);
    expect(watching.count('connected')).toBe(1);
  });

  it('an append succeeds when Redis is back within its bound', async () => {
    const log = randomLog();
    await redis.kill();
    const answer = append(log);
    await redis.start();
    expect((await answer).status).toBeLessThan(300);
    expect(await redisContents(redis.url(), log)).toHaveLength(1);
  });
});

describe('while Redis is frozen', () => {
  it('an append that was sent ends with outcome_unknown, and a repeat by its producer is not doubled', async () => {
    const log = randomLog();
    const watching = reader(log);
    await eventually(() => watching.live);
    const writers = [writer(log, true), writer(log, false)];
    await eventually(() => writers.every(({ acknowledged }) => acknowledged > 0));

    redis.freeze();
    await eventually(() => writers.every(({ refusals }) => refusals.has('outcome_unknown')), {
      timeout: 15_000,
    });
    expect(watching.connected).toBe(true);
    redis.thaw();
    for (const each of writers) each.finish();
    await eventually(() => writers.every(({ settled }) => settled));

    const appends = writers.flatMap((each) => each.appends);
    // What was frozen on its way may still arrive.
    await eventually(async () => {
      const events = await redisContents(redis.url(), log);
      expect(watching.cursor).toBe(events.at(-1)?.id);
      const found = checkHistory({ log, appends, events, readers: [watching.history] });
      expect(found).toEqual([]);
    });
    expect(watching.count('connected')).toBe(1);
  });

  it('SIGTERM still ends the gateway with 0 within 10 seconds', async () => {
    const log = randomLog();
    const watching = reader(log);
    await eventually(() => watching.live);
    redis.freeze();
    const answers = [append(log), append(log)].map((answer) => answer.catch(() => undefined));
    const began = performance.now();
    const ending = await gateway.terminate();
    expect(ending, gateway.output).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(10_000);
    await eventually(() => watching.closeCodes.includes(1001));
    await Promise.all(answers);
  });
});

describe('events that others write into Redis', () => {
  it('reach readers within the sweep', async () => {
    const logs = [randomLog(), randomLog()];
    const readers = logs.map((log) => reader(log));
    await append(logs[0]!);
    await eventually(() => readers.every((each) => each.live));
    const direct = new Redis(redis.url());
    try {
      for (let round = 0; round < 3; round += 1) {
        const began = performance.now();
        const ids = await Promise.all(
          logs.map((log) => direct.xadd(`${log}:log`, '*', 'type', 'T', 'payload', `${round}`)),
        );
        await eventually(() => readers.every((each, index) => each.cursor === ids[index]));
        // The sweep comes once a second; the rest is for a busy machine.
        expect(performance.now() - began).toBeLessThan(3_000);
      }
      // One that is no event of ours stops nobody.
      await direct.xadd(`${logs[0]}:log`, '*', 'colour', 'red');
      await eventually(() => readers[0]!.count('event') === 5);
    } finally {
      direct.disconnect();
    }
  });
});

function reader(log: LogName): Reader {
  const name = `reader-${randomId()}`;
  const made = new Reader({ name, log, gateway: gateway.webSocket('') }).start();
  clients.push(made);
  return made;
}

function writer(log: LogName, producer: boolean): Writer {
  const made = new Writer({
    ...{ name: `writer-${randomId()}`, log, gateway: gateway.webSocket(''), producer, window: 3 },
    next: () => ({ events: 1, bytes: 20, wait: 20 }),
  }).start();
  clients.push(made);
  return made;
}

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly ids: readonly EventId[];
}

async function append(log: LogName): Promise<Answer> {
  const response = await fetch(gateway.http(`/logs/${log}/events`), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'Written', payload: randomId() }),
  });
  const { code, ids = [] } = (await response.json()) as Partial<Answer>;
  return { status: response.status, code, ids };
}
