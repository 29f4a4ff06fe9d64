/** How fast one socket gets a whole long log. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { EventId } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import type { EventLog } from '../../src/log/log.ts';
import { type Contender, GatewayProcess, MILLRACE } from '../gateway-process.ts';
import { median } from '../latency.ts';
import { loadEmbeddedLog, loadRedisLog } from '../library.ts';
import type { Replay, Replayed } from '../load/questions.ts';
import { watchCpu } from '../machine.ts';
import { RedisProcess } from '../redis-process.ts';
import { number, percent } from '../report.ts';
import { type Plan, type Result, type Suite, startLoad } from './suite.ts';

const ACCOUNT = 'replay';
const LOG = `account:${ACCOUNT}` as LogName;
const TYPE = 'SOME_EVENT';
const payloadOf = (number: number) => ({
  n: number,
  text: 'Some payload for account(2) from account(1)',
});

interface Row {
  readonly reader: string;
  readonly store: 'redis' | 'embedded';
  readonly events: number;
  /** Median of the repeats, and all of them. */
  readonly eventsPerSecond: number;
  readonly repeats: readonly number[];
  /** Of the last repeat, percent of a core; only of readers that are gateways. */
  readonly cpu: Readonly<Record<string, number>> | undefined;
}

export const replay: Suite = {
  name: 'replay',
  async run(plan): Promise<Result> {
    const events = plan.quick ? 100_000 : 1_000_000;
    const rows = [...(await onRedis(plan, events)), ...(await onEmbedded(plan, events))];
    return {
      title: `Replay: a log of ${number(events)} events to one socket`,
      rows,
      table: rows.map((row) => ({
        reader: row.reader,
        store: row.store,
        'events/s': number(row.eventsPerSecond),
        repeats: row.repeats.map(number).join(' '),
        'CPU gateway': row.cpu?.gateway === undefined ? '–' : percent(row.cpu.gateway),
        Redis: row.cpu?.redis === undefined ? '–' : percent(row.cpu.redis),
        load: row.cpu?.load === undefined ? '–' : percent(row.cpu.load),
      })),
      notes: ['"library, no socket" reads the same log with EventLog.read, a page after the other'],
    };
  },
};

async function onRedis(plan: Plan, events: number): Promise<Row[]> {
  const redis = await RedisProcess.start(plan.durability);
  try {
    plan.progress(`filling a log with ${number(events)} events on Redis`);
    await fillRedis(redis.endpoint, events);
    const rows: Row[] = [];
    for (const contender of plan.contenders) {
      // The log is stored as Millrace stores it.
      if (contender.format !== 'millrace') continue;
      plan.progress(`${contender.name}, replay`);
      rows.push(await throughGateway(plan, contender, redis.endpoint, events, redis.pid));
    }
    const RedisLog = await loadRedisLog();
    rows.push(await throughLibrary(plan, await RedisLog.open(redis.endpoint), 'redis', events));
    return rows;
  } finally {
    await redis.stop();
  }
}

async function onEmbedded(plan: Plan, events: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-replay-'));
  try {
    plan.progress(`filling a log with ${number(events)} events in the embedded store`);
    const EmbeddedLog = await loadEmbeddedLog();
    await fill(await EmbeddedLog.open(folder), events);
    plan.progress(`${MILLRACE.name}, embedded, replay`);
    return [
      await throughGateway(plan, MILLRACE, folder, events),
      await throughLibrary(plan, await EmbeddedLog.open(folder), 'embedded', events),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fillRedis(endpoint: string, events: number): Promise<void> {
  const redis = new Redis(endpoint);
  for (let from = 0; from < events; from += 1_000) {
    const pipeline = redis.pipeline();
    for (let i = from; i < Math.min(from + 1_000, events); i++) {
      const payload = JSON.stringify(payloadOf(i));
      pipeline.xadd(`${LOG}:log`, '*', 'type', TYPE, 'payload', payload, 'codec', 'json');
    }
    await pipeline.exec();
  }
  await redis.quit();
}

async function fill(log: EventLog, events: number): Promise<void> {
  const calls: Promise<unknown>[] = [];
  for (let from = 0; from < events; from += 1_000) {
    const length = Math.min(1_000, events - from);
    const batch = Array.from({ length }, (_, i) => ({ type: TYPE, payload: payloadOf(from + i) }));
    calls.push(log.append(LOG, batch));
    if (calls.length === 8) await Promise.all(calls.splice(0));
  }
  await Promise.all(calls);
  await log.close();
}

async function throughGateway(
  plan: Plan,
  contender: Contender,
  store: string,
  events: number,
  redisPid?: number,
): Promise<Row> {
  const gateway = await GatewayProcess.start(contender, store, plan.profile);
  const load = startLoad();
  try {
    const repeats: number[] = [];
    let cpu: Row['cpu'];
    for (let repeat = 0; repeat < (plan.quick ? 1 : 3); repeat++) {
      const pids = { gateway: gateway.pid, load: load.pid };
      const watch = watchCpu<string>(redisPid === undefined ? pids : { ...pids, redis: redisPid });
      const question: Replay = { do: 'replay', port: gateway.port, account: ACCOUNT };
      const replayed = await load.ask<Replayed>(question);
      if (replayed.events !== events) {
        throw new Error(`${contender.name} delivered ${replayed.events} of ${events} events`);
      }
      repeats.push(events / replayed.seconds);
      cpu = watch();
    }
    const store = redisPid === undefined ? 'embedded' : 'redis';
    return { reader: contender.name, store, events, ...summary(repeats), cpu };
  } finally {
    await load.stop();
    await gateway.stop();
  }
}

async function throughLibrary(
  plan: Plan,
  log: EventLog,
  store: Row['store'],
  events: number,
): Promise<Row> {
  const repeats: number[] = [];
  for (let repeat = 0; repeat < (plan.quick ? 1 : 3); repeat++) {
    const startedAt = performance.now();
    let read = 0;
    let after: EventId | undefined;
    for (;;) {
      const page = await log.read(LOG, { after, limit: 1_000 });
      read += page.events.length;
      after = page.events.at(-1)?.id ?? after;
      if (!page.more) break;
    }
    if (read !== events) throw new Error(`read ${read} of ${events} events`);
    repeats.push(events / ((performance.now() - startedAt) / 1000));
  }
  await log.close();
  return { reader: 'library, no socket', store, events, ...summary(repeats), cpu: undefined };
}

function summary(repeats: number[]) {
  return { eventsPerSecond: median(repeats), repeats };
}
