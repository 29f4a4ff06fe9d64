/**
 * One socket reads nothing while 200 MB are appended to its log.
 *
 * Memory is what the kernel counts as the gateway's own, so not the pages of the embedded store's
 * file, which the kernel may drop. The gateway has been warmed up with the same kind of load before, so
 * that a heap growing to its working size is not taken for a leak. That warm-up is at the same
 * time what latency is compared with: the same load, but everybody reads.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { LogName } from '../../src/event/log-name.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { randomId, randomLog } from '../support/names.ts';
import { ownMemory } from '../support/own-memory.ts';
import { Reader } from '../support/reader.ts';
import { RedisServer } from '../support/redis-server.ts';
import { payloadWith } from '../support/wire.ts';
import { LatencyProbe } from './latency-probe.ts';

const MEGABYTE = 1_000_000;
const WARM_UP = 120 * MEGABYTE;
const LOAD = 200 * MEGABYTE;
const MAY_GROW_BY = 32 * 1_048_576;
const PROBES = 4;

it('costs the gateway no memory and others no time, and gets everything: Redis', async () => {
  await using redis = await RedisServer.start();
  await using gateway = await GatewayProcess.start({ store: redis.url() });
  await observe(gateway);
}, 180_000);

it('costs the gateway no memory and others no time, and gets everything: embedded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-slow-'));
  try {
    await using gateway = await GatewayProcess.start({ store: folder });
    await observe(gateway);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 180_000);

async function observe(gateway: GatewayProcess): Promise<void> {
  const probes = Array.from({ length: PROBES }, () => new LatencyProbe(gateway.webSocket('')));
  const readers: Reader[] = [];
  const reader = (name: string, log: LogName): Reader => {
    const made = new Reader({ name: `${name}-${randomId()}`, log, gateway: gateway.webSocket('') });
    readers.push(made.start());
    return made;
  };
  try {
    const warm = randomLog();
    const readsAll = reader('warm', warm);
    for (const probe of probes) probe.start();
    await eventually(() => readsAll.live);
    const warmTags = await load(gateway, warm, WARM_UP);
    await eventually(() => readsAll.count('event') === warmTags.length, {
      timeout: 60_000,
      interval: 50,
    });
    const before = latencies(probes);
    const baseline = await ownMemory(gateway.pid);

    const log = randomLog();
    const slow = reader('slow', log);
    const quick = reader('quick', log);
    await eventually(() => slow.live && quick.live);
    slow.stall();
    let peak = 0;
    const watching = setInterval(() => {
      void ownMemory(gateway.pid).then((now) => {
        peak = Math.max(peak, now);
      });
    }, 50);
    const tags = await load(gateway, log, LOAD);
    const during = latencies(probes);
    await eventually(() => quick.count('event') === tags.length, { timeout: 60_000, interval: 50 });
    expect(slow.count('event'), 'it was not slow').toBeLessThan(tags.length / 4);

    slow.readAgain();
    await eventually(() => slow.count('event') === tags.length, { timeout: 60_000, interval: 50 });
    clearInterval(watching);
    for (const { steps } of [slow, quick]) {
      expect(steps.flatMap((step) => (step.step === 'event' ? [step.tag] : []))).toEqual(tags);
    }
    expect(peak - baseline, 'bytes that the gateway has grown by').toBeLessThan(MAY_GROW_BY);
    // Generous: this is a promise on a shared machine, not a benchmark.
    expect(during.median).toBeLessThan(before.median * 3 + 20);
    expect(during.p99).toBeLessThan(before.p99 * 4 + 100);
  } finally {
    for (const client of [...readers, ...probes]) client.stop();
  }
}

/** Appends so many bytes, in large and in small events, and answers their tags in order. */
async function load(gateway: GatewayProcess, log: LogName, bytes: number): Promise<string[]> {
  const tags: string[] = [];
  for (let sent = 0; sent < bytes; ) {
    // Small ones are published with their payload, large ones are not.
    const [count, size] = tags.length % 2 === 0 ? [25, 8_000] : [5, 40_000];
    const events = Array.from({ length: count }, (_, index) => ({
      type: 'Loaded',
      payload: payloadWith(`${tags.length + index}`, size),
    }));
    const response = await fetch(gateway.http(`/logs/${log}/events`), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(events),
    });
    if (!response.ok) throw new Error(`append: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
    for (let index = 0; index < count; index += 1) tags.push(`${tags.length}`);
    sent += count * size;
    // At most some 30 MB a second, so that the load itself leaves room for the probes.
    await sleep(5);
  }
  return tags;
}

function latencies(probes: readonly LatencyProbe[]): { median: number; p99: number } {
  const all = probes.flatMap((probe) => probe.take()).sort((a, b) => a - b);
  const at = (share: number): number => all[Math.floor(all.length * share)] ?? 0;
  return { median: at(0.5), p99: at(0.99) };
}
