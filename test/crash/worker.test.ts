/** Workers whose processes are killed, paused and started again, on both stores. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EventId } from '../../src/event/event-id.ts';
import { type LogName, parseLogName } from '../../src/event/log-name.ts';
import type { EventLog } from '../../src/log/log.ts';
import { openStore, type Store } from '../../src/stores/open.ts';
import { listDeadLetters } from '../../src/worker/dead-letters.ts';
import { eventually } from '../support/eventually.ts';
import { randomId } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';
import { type Said, WorkerCast } from './worker-cast.ts';

/** Processes need a second or two to start; much more on a busy machine. */
const PATIENCE = 45_000;
vi.setConfig({ testTimeout: 2 * PATIENCE });

let redis: RedisServer;
let store: Store;

beforeAll(async () => {
  redis = await RedisServer.start({ appendonly: 'yes', appendfsync: 'always' });
  store = await openStore(redis.url());
});

afterAll(async () => {
  await store.close();
  await redis[Symbol.asyncDispose]();
});

/** What was appended to the logs of one group. */
class Appended {
  readonly group = randomId();
  readonly byLog = new Map<LogName, EventId[]>();
  readonly #log: EventLog;

  constructor(log: EventLog) {
    this.#log = log;
  }

  async add(number: number, ...types: string[]): Promise<LogName> {
    const log = parseLogName(`${this.group}:${number}`);
    const events = types.map((type) => ({ type, payload: '' }));
    const { ids } = await this.#log.append(log, events);
    this.byLog.set(log, [...(this.byLog.get(log) ?? []), ...ids]);
    return log;
  }

  isHandledBy({ said }: WorkerCast): boolean {
    const done = new Set(said.filter(isDone).map(({ log, id }) => `${log} ${id}`));
    return [...this.byLog].every(([log, ids]) => ids.every((id) => done.has(`${log} ${id}`)));
  }

  async handledBy(cast: WorkerCast): Promise<void> {
    await eventually(() => this.isHandledBy(cast), { timeout: PATIENCE, interval: 20 });
  }
}

function isDone({ what }: Said): boolean {
  return what === 'done';
}

test('Redis: killed with -9 again and again, others take over; nothing is skipped', async () => {
  const appended = new Appended(store.log);
  await using cast = new WorkerCast(redis.url(), appended.group);
  await Promise.all([cast.start(), cast.start(), cast.start()]);
  for (let round = 0; round < 5; round++) {
    const logs = Array.from({ length: 12 }, (_, number) => number);
    for (let step = 0; step < 8; step++) {
      await Promise.all(logs.map((number) => appended.add(number, 'Grown', 'Grown')));
      await sleep(10);
    }
    await cast.kill(cast.children[0]!);
    if (round < 4) await cast.start();
  }
  const since = performance.now();
  await appended.handledBy(cast);
  // A lease lasts 0.4 s here.
  expect(performance.now() - since).toBeLessThan(10_000);
  cast.expectInOrder(appended.byLog);
});

test('Redis: what a killed one was doing is begun by another within 3/4 to 5/4 of the lease time', async () => {
  const leaseTime = 2_000;
  const appended = new Appended(store.log);
  await using cast = new WorkerCast(redis.url(), appended.group, 'worker', String(leaseTime));
  await Promise.all([cast.start(), cast.start()]);
  await appended.add(1, 'Slow');
  await eventually(() => expect(cast.said).toHaveLength(1));
  await cast.kill(cast.children.find(({ pid }) => pid === cast.said[0]!.pid)!);
  // Another log goes on meanwhile.
  const since = Number(process.hrtime.bigint());
  await appended.add(2, 'Grown');
  await appended.handledBy(cast);
  const begun = cast.said.filter(({ what }) => what === 'begin');
  expect(begun.map(({ log }) => log.split(':')[1])).toEqual(['1', '2', '1']);
  const after = (begun[2]!.time - since) / 1e6;
  // A busy machine is late, but not early; the kill was a moment before we knew of it.
  expect(after).toBeGreaterThan((leaseTime * 3) / 4 - 100);
  expect(after).toBeLessThan((leaseTime * 5) / 4 + 1_000);
});

test('Redis: one that was paused cannot move the cursor of who took over', async () => {
  const appended = new Appended(store.log);
  await using cast = new WorkerCast(redis.url(), appended.group);
  const paused = await cast.start();
  const log = await appended.add(1, 'Slow', 'Grown', 'Grown');
  await eventually(() => expect(cast.said).toHaveLength(1));
  paused.kill('SIGSTOP');
  const other = await cast.start();
  await appended.handledBy(cast);
  expect(
    cast.said.filter(({ what }) => what === 'done').every((each) => each.pid === other.pid),
  ).toBe(true);
  paused.kill('SIGCONT');
  // It comes to the end of its event, and must not go on from there.
  await eventually(() =>
    expect(cast.said.some(({ what, pid }) => what === 'done' && pid === paused.pid)).toBe(true),
  );
  await appended.add(1, 'Grown', 'Grown');
  await appended.handledBy(cast);
  cast.expectInOrder(appended.byLog);
  const firstThree = appended.byLog.get(log)!.slice(0, 3);
  const began = cast.said.filter(
    ({ what, pid, id }) => what === 'begin' && pid === paused.pid && firstThree.includes(id),
  );
  expect(began).toHaveLength(1);
});

test('Redis: it restarts in the middle', async () => {
  const appended = new Appended(store.log);
  await using cast = new WorkerCast(redis.url(), appended.group);
  await Promise.all([cast.start(), cast.start()]);
  for (let number = 0; number < 20; number++) {
    await appended.add(number, ...Array.from({ length: 20 }, () => 'Grown'));
  }
  await redis.kill();
  await redis.start();
  await eventually(() => appended.add(1, 'Grown'));
  await appended.handledBy(cast);
  cast.expectInOrder(appended.byLog);
});

/** Starts one again whenever it has died, until the group has a dead letter. */
async function untilDeadLetter(cast: WorkerCast, group: string): Promise<void> {
  await eventually(
    async () => {
      if (cast.children.length === 0) await cast.start();
      return (await listDeadLetters(store.log, group)).length > 0;
    },
    { timeout: PATIENCE, interval: 20 },
  );
}

test('Redis: an event that kills its process becomes a dead letter', async () => {
  const appended = new Appended(store.log);
  await using cast = new WorkerCast(redis.url(), appended.group);
  await appended.add(1, 'Grown', 'Grown', 'Grown');
  const log = await appended.add(1, 'Poison');
  const poison = appended.byLog.get(log)!.pop();
  await appended.add(1, 'Grown', 'Grown');
  await untilDeadLetter(cast, appended.group);
  if (cast.children.length === 0) await cast.start();
  await appended.handledBy(cast);
  const letters = await listDeadLetters(store.log, appended.group);
  expect(letters).toMatchObject([{ log, id: poison, type: 'Poison', attempts: 5 }]);
  // The first two are not counted: any process may die once.
  expect(cast.deaths).toBeLessThanOrEqual(7);
});

test('embedded: killed and started again; also by an event', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-worker-crash-'));
  try {
    const opened = await openStore(folder);
    const appended = new Appended(opened.log);
    for (let number = 0; number < 10; number++) {
      await appended.add(number, ...Array.from({ length: 100 }, () => 'Grown'));
    }
    const log = await appended.add(3, 'Poison');
    const poison = appended.byLog.get(log)!.pop();
    await appended.add(3, 'Grown', 'Grown');
    await opened.close();

    await using cast = new WorkerCast(folder, appended.group);
    for (let round = 0; round < 4; round++) {
      const child = await cast.start();
      await sleep(60);
      await cast.kill(child);
    }
    // It dies of the event some more times, until that is a dead letter.
    for (let isDone = false; !isDone; ) {
      const child = await cast.start();
      const { deaths } = cast;
      isDone = await eventually(() => cast.deaths > deaths || appended.isHandledBy(cast), {
        timeout: PATIENCE,
      }).then(() => appended.isHandledBy(cast));
      await cast.kill(child);
    }
    cast.expectInOrder(appended.byLog);
    const again = await openStore(folder);
    const letters = await listDeadLetters(again.log, appended.group);
    await again.close();
    expect(letters).toMatchObject([{ log, id: poison, type: 'Poison', attempts: 5 }]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('Redis: the commands of a process manager take effect once, however often it is killed', async () => {
  const appended = new Appended(store.log);
  await using cast = new WorkerCast(redis.url(), appended.group, 'manager');
  await Promise.all([cast.start(), cast.start()]);
  for (let round = 0; round < 5; round++) {
    for (let number = 0; number < 8; number++)
      await appended.add(number, 'Grown', 'Grown', 'Grown');
    await sleep(30);
    await cast.kill(cast.children[0]!);
    await cast.start();
  }
  for (const [log, ids] of appended.byLog) {
    const target = parseLogName(`${appended.group}-target:${log.split(':')[1]}`);
    const read = async () => (await store.log.read(target, { limit: 1_000 })).events;
    await eventually(async () => (await read()).length >= 2 * ids.length, { timeout: PATIENCE });
    const events = await read();
    const effects = events.map(
      ({ meta, payload }) => `${meta!.causationId} ${JSON.stringify(payload)}`,
    );
    const wanted = ids.flatMap((id) => [1, 10].map((by) => `${log}/${id} {"by":${by}}`));
    expect(effects).toEqual(wanted);
  }
});
