/** What one client takes in, how long an append takes to show, and what a view weighs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../child.ts';
import {
  type ClientLatency,
  type ClientMemory,
  type ClientQuestion,
  type ClientReplayed,
  REPLAY_WAYS,
  REPLAYED_LOG,
} from '../client/questions.ts';
import { GatewayProcess, MILLRACE } from '../gateway-process.ts';
import { median, type Percentiles } from '../latency.ts';
import { loadEmbeddedLog } from '../library.ts';
import { number } from '../report.ts';
import type { Plan, Result, Suite } from './suite.ts';

const ASK_WITHIN_MS = 15_000;

export interface ClientRow {
  readonly measured: string;
  readonly value: number;
  readonly p99?: number;
  readonly unit: string;
}

export const client: Suite = {
  name: 'client',
  async run(plan): Promise<Result> {
    const events = plan.quick ? 20_000 : 100_000;
    const appends = plan.quick ? 100 : 500;
    const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-client-'));
    try {
      plan.progress(`filling a log with ${number(events)} events in the embedded store`);
      await fill(folder, events);
      const gateway = await GatewayProcess.start(MILLRACE, folder, plan.profile);
      try {
        return result(
          await measure(plan, `http://127.0.0.1:${gateway.port}`, events, appends),
          events,
          appends,
        );
      } finally {
        await gateway.stop();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function fill(folder: string, events: number): Promise<void> {
  const EmbeddedLog = await loadEmbeddedLog();
  const log = await EmbeddedLog.open(folder);
  for (let from = 0; from < events; from += 1_000) {
    const batch = Array.from({ length: Math.min(1_000, events - from) }, (_, i) => ({
      type: 'Added',
      payload: { n: from + i, text: 'Some payload for account(2) from account(1)' },
    }));
    await log.append(REPLAYED_LOG, batch);
  }
  await log.close();
}

async function measure(
  plan: Plan,
  url: string,
  events: number,
  appends: number,
): Promise<ClientRow[]> {
  const rows: ClientRow[] = [];
  for (const way of REPLAY_WAYS) {
    const rates: number[] = [];
    for (let repeat = 0; repeat < (plan.quick ? 1 : 3); repeat++) {
      plan.progress(`replay, ${way}`);
      const { seconds } = await ask<ClientReplayed>(plan, { ask: 'replay', url, way, events });
      rates.push(events / seconds);
    }
    rows.push({ measured: `replay, ${way}`, value: median(rates), unit: 'events/s' });
  }
  plan.progress('latency');
  const latency = await ask<ClientLatency>(plan, { ask: 'latency', url, appends });
  rows.push(
    latencyRow("append to one's own view, pending", latency.ownPending),
    latencyRow("append to one's own view, confirmed", latency.ownConfirmed),
    latencyRow("append to another device's view", latency.otherDevice),
  );
  for (const keeps of [false, true]) {
    const what = `memory, ${keeps ? 'each payload kept in the state' : 'state is a number'}`;
    plan.progress(what);
    const memory = await ask<ClientMemory>(plan, { ask: 'memory', url, keeps, events });
    rows.push(
      { measured: `${what}, client following`, value: memory.following, unit: 'bytes' },
      { measured: `${what}, client closed`, value: memory.stateAlone, unit: 'bytes' },
    );
  }
  return rows;
}

function latencyRow(measured: string, { p50, p99 }: Percentiles): ClientRow {
  return { measured, value: p50, p99, unit: 'ms' };
}

/** In a process of its own, so that no question finds what the one before has left. */
async function ask<Answer>(plan: Plan, question: ClientQuestion): Promise<Answer> {
  const profiling =
    plan.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${plan.profile}`];
  const script = fileURLToPath(new URL('../client/client-process.js', import.meta.url));
  const child = new Child(script, { nodeFlags: ['--expose-gc', ...profiling] });
  const tooLate = setTimeout(() => child.process.kill('SIGKILL'), ASK_WITHIN_MS);
  try {
    return await child.ask<Answer>(question);
  } finally {
    clearTimeout(tooLate);
    await child.stop();
  }
}

function result(rows: readonly ClientRow[], events: number, appends: number): Result {
  return {
    title: `Client: one client on Node over a gateway on the embedded store; a log of ${number(events)} events`,
    rows,
    table: rows.map(({ measured, value, p99, unit }) => ({
      measured,
      'value or p50': number(value),
      p99: p99 === undefined ? '' : number(p99),
      unit,
    })),
    notes: [
      'replay: from connect to the last event, in a new process each time; the median of the repeats',
      'cache on: indexedDb() over an IndexedDB in memory (fake-indexeddb), so no disk; what is kept after the last event is not waited for',
      `latency: ${number(appends)} appends one after the other, from calling append; both devices in one process`,
      'memory: heap and buffers after garbage collections, above those of the process before connect',
      'client closed: its tail (the last 1,000 events in memory) and its socket are gone, the state alone is left',
    ],
  };
}
