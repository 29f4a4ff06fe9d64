/** Acknowledged appends per second through the library, beside the same without it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AppendQuestion, AppendResult } from '../append/append-process.ts';
import { APPENDERS, type AppenderName } from '../append/appenders.ts';
import { Child } from '../child.ts';
import { median } from '../latency.ts';
import { cpuSeconds } from '../machine.ts';
import { RedisProcess } from '../redis-process.ts';
import { number, ratio } from '../report.ts';
import type { Plan, Result, Suite } from './suite.ts';

const IN_FLIGHT = 500;
const OURS: readonly AppenderName[] = ['millrace on Redis', 'millrace embedded'];
/** Does more than the others are asked for, so it is nothing to be ahead of. */
const NOT_COMPARED: readonly AppenderName[] = ['XADD and PUBLISH, explicit pipelines of 250'];

interface Append {
  readonly appender: AppenderName;
  readonly store: 'redis' | 'embedded';
  /** Acknowledged events/s: the median of the rounds, and all of them. */
  readonly rate: number;
  readonly rounds: readonly number[];
  readonly p50: number;
  readonly p99: number;
  /** CPU microseconds per event, in the process that appends and in Redis. */
  readonly clientCpu: number;
  readonly redisCpu: number;
}

/** What the process says of itself, and what it cost Redis. */
type Measured = AppendResult & { readonly redisCpu: number };

export const append: Suite = {
  name: 'append',
  async run(plan): Promise<Result> {
    const names = Object.keys(APPENDERS) as AppenderName[];
    const results = new Map<AppenderName, Measured[]>(names.map((name) => [name, []]));
    // Round by round, so that a bad moment of the machine hits all alike.
    for (let round = 0; round < (plan.quick ? 1 : 3); round++) {
      for (const name of names) {
        plan.progress(`${name}, round ${round + 1}`);
        results.get(name)!.push(await measure(plan, name));
      }
    }
    const rows = names.map((appender) => summarize(appender, results.get(appender)!));
    return {
      title: `Append: acknowledged events/s, one event a call, ${IN_FLIGHT} in flight`,
      rows,
      table: rows.map((row) => ({
        appender: row.appender,
        'events/s': number(row.rate),
        'against best plain': ratio(row.rate, bestPlain(rows, row.store)),
        p50: number(row.p50),
        p99: number(row.p99),
        'µs client': number(row.clientCpu),
        'µs Redis': row.redisCpu === 0 ? '–' : number(row.redisCpu),
        rounds: row.rounds.map(number).join(' '),
      })),
      notes: [
        'latency in ms of one call; with explicit pipelines, that is the call for all of them',
        'µs: CPU time per event, which other work on the machine changes less than it changes rates',
        `best plain way on Redis: ${nameOfBest(rows, 'redis')}; on LMDB: ${nameOfBest(rows, 'embedded')}`,
      ],
    };
  },
};

async function measure(plan: Plan, appender: AppenderName): Promise<Measured> {
  const onRedis = storeOf(appender) === 'redis';
  const redis = onRedis ? await RedisProcess.start(plan.durability) : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-append-'));
  const child = new Child(fileURLToPath(new URL('../append/append-process.js', import.meta.url)));
  try {
    const before = redis === undefined ? 0 : cpuSeconds(redis.pid);
    const result = await child.ask<AppendResult>({
      appender,
      target: redis?.endpoint ?? folder,
      inFlight: IN_FLIGHT,
      warmUpSeconds: plan.quick ? 0.5 : 1,
      seconds: plan.quick ? 1 : 3,
    } satisfies AppendQuestion);
    const redisSeconds = redis === undefined ? 0 : cpuSeconds(redis.pid) - before;
    return { ...result, redisCpu: (redisSeconds * 1e6) / result.events };
  } finally {
    await child.stop();
    await redis?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function storeOf(appender: AppenderName): 'redis' | 'embedded' {
  return /embedded|LMDB/.test(appender) ? 'embedded' : 'redis';
}

function summarize(appender: AppenderName, results: readonly Measured[]): Append {
  const rounds = results.map((result) => result.rate);
  const rate = median(rounds);
  const { p50, p99, clientCpu, redisCpu } = results.find((result) => result.rate === rate)!;
  return { appender, store: storeOf(appender), rate, rounds, p50, p99, clientCpu, redisCpu };
}

function plainOnes(rows: readonly Append[], store: Append['store']): Append[] {
  return rows
    .filter((row) => row.store === store)
    .filter(({ appender }) => !OURS.includes(appender) && !NOT_COMPARED.includes(appender))
    .sort((a, b) => b.rate - a.rate);
}

function bestPlain(rows: readonly Append[], store: Append['store']): number {
  return plainOnes(rows, store)[0]?.rate ?? Number.NaN;
}

function nameOfBest(rows: readonly Append[], store: Append['store']): string {
  return plainOnes(rows, store)[0]?.appender ?? 'not measured';
}
