/**
 * "Each event counts exactly once", with real processes: projections are killed with `kill -9` and
 * paused at random moments, and in the end the read model must equal the fold of the logs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { type LogName, parseLogName } from '../../src/event/log-name.ts';
import { project } from '../../src/projection/project.ts';
import { openStore, type Store } from '../../src/stores/open.ts';
import { eventually } from '../support/eventually.ts';
import { RedisServer } from '../support/redis-server.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { buildOnce } from './embedded-remote.ts';

const program = join(dirname(fileURLToPath(import.meta.url)), 'projection-child.mjs');

/** How long processes come and go, in milliseconds; longer where a busy machine gets little done. */
const RUN_TIME = 6_000;
const LONGEST_RUN_TIME = 40_000;
const FEWEST_LIVES = 6;
/** After which life the version is raised. */
const LIVES_OF_A_VERSION = 5;
const LOGS = Array.from({ length: 20 }, (_, id) => parseLogName(`account:${id}`));

interface Counts {
  readonly events: number;
  readonly sum: number;
}

beforeAll(buildOnce, 60_000);

it('on Redis, with processes that are killed and paused', { timeout: 90_000 }, async () => {
  const random = SeededRandom.fromEnvironment();
  await using server = await RedisServer.start();
  const store = await openStore(server.url());
  let lives = 0;
  const goOn = runFor(() => lives);
  let appending = true;
  const appends = (async () => {
    while (appending) {
      await append(store, random);
      await sleep(1);
    }
  })();
  const slots = Array.from({ length: 2 }, async () => {
    while (goOn()) {
      await liveAndDie([server.url(), versionAfter(lives)], random);
      lives += 1;
    }
  });
  await Promise.all(slots);
  appending = false;
  await appends;
  await judge(store, versionAfter(lives), random);
  await store.close();
});

it('embedded, with one process at a time that is killed', { timeout: 90_000 }, async () => {
  const random = SeededRandom.fromEnvironment();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-projection-'));
  try {
    let lives = 0;
    const goOn = runFor(() => lives);
    while (goOn()) {
      await liveAndDie([folder, versionAfter(lives), 'appends'], random);
      lives += 1;
    }
    const store = await openStore(folder);
    await judge(store, versionAfter(lives), random);
    await store.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('another process takes over within seconds', { timeout: 60_000 }, async () => {
  await using server = await RedisServer.start();
  const store = await openStore(server.url());
  const processes = [new Instance([server.url(), '1']), new Instance([server.url(), '1'])];
  try {
    const working = await eventually(() => {
      const live = processes.find(({ states }) => states.at(-1) === 'live');
      if (live === undefined) throw new Error('none is live yet');
      return live;
    });
    const other = processes.find((each) => each !== working)!;
    await eventually(() => other.states.at(-1) === 'waiting');
    await working.kill();
    const killedAt = performance.now();
    await store.log.append(LOGS[0]!, [{ type: 'Counted', payload: 5 }]);
    await eventually(async () => {
      expect(await store.readModels.get('counts@1', [LOGS[0]!])).toEqual(['{"events":1,"sum":5}']);
    });
    expect(performance.now() - killedAt).toBeLessThan(5_000);
  } finally {
    await Promise.all(processes.map((each) => each.kill()));
    await store.close();
  }
});

it('a process that was paused changes nothing when it wakes up', { timeout: 60_000 }, async () => {
  const random = SeededRandom.fromEnvironment();
  await using server = await RedisServer.start();
  const store = await openStore(server.url());
  const processes = [new Instance([server.url(), '1']), new Instance([server.url(), '1'])];
  try {
    let [working, other] = processes as [Instance, Instance];
    for (let round = 0; round < 4; round += 1) {
      await eventually(() => {
        const live = processes.find(({ states }) => /live|catching/.test(states.at(-1) ?? ''));
        if (live === undefined) throw new Error('none works yet');
        [working, other] = [live, processes.find((each) => each !== live)!];
      });
      // In the middle of its work, with pages under way.
      for (let index = 0; index < 40; index += 1) void append(store, random);
      await sleep(random.between(0, 20));
      working.stop();
      for (let index = 0; index < 40; index += 1) await append(store, random);
      const end = await store.log.feedEnd();
      await eventually(async () => {
        expect((await store.readModels.checkpoint('counts@1'))?.cursor).toBe(end);
      });
      const heard = working.states.length;
      expect(other.states.at(-1)).toMatch(/live|catching/);
      working.goOn();
      await eventually(() => working.states.slice(heard).includes('waiting'));
      const rows: Record<string, string> = {};
      for await (const [key, text] of store.readModels.rows('counts@1')) rows[key] = text;
      for (const log of LOGS) {
        const { state } = await foldOf(store, log);
        expect(rows[log], `${log}, seed ${random.seed}`).toBe(state && JSON.stringify(state));
      }
      expect((await store.readModels.checkpoint('counts@1'))?.cursor).toBe(end);
    }
  } finally {
    await Promise.all(processes.map((each) => each.kill()));
    await store.close();
  }
});

/** Says whether to go on: for a while, and longer where a busy machine gets little done. */
function runFor(lives: () => number): () => boolean {
  const start = performance.now();
  return () => {
    const time = performance.now() - start;
    return time < RUN_TIME || (lives() < FEWEST_LIVES && time < LONGEST_RUN_TIME);
  };
}

function versionAfter(lives: number): string {
  return String(1 + Math.floor(lives / LIVES_OF_A_VERSION));
}

async function append({ log }: Store, random: SeededRandom): Promise<void> {
  const type = random.next() < 0.02 ? 'Emptied' : 'Counted';
  const events = Array.from({ length: random.between(1, 4) }, () => ({
    type,
    payload: random.between(0, 99),
  }));
  await log.append(random.pick(LOGS), events);
}

class Instance {
  readonly states: string[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #complaint = '';

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [program, ...args]);
    const killWithUs = () => this.#child.kill('SIGKILL');
    process.once('exit', killWithUs);
    this.#exited = once(this.#child, 'exit').then(() => process.off('exit', killWithUs));
    this.#child.stderr!.on('data', (data) => {
      this.#complaint += data;
    });
    this.#child.stdout!.on('data', (data) => {
      this.states.push(...String(data).trim().split('\n'));
    });
  }

  /** Resolves when it says something. */
  async ready(): Promise<void> {
    await eventually(() => {
      expect(this.#complaint).toBe('');
      return this.states.length > 0;
    });
  }

  stop(): void {
    this.#child.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child.kill('SIGCONT');
  }

  async pause(milliseconds: number): Promise<void> {
    this.stop();
    await sleep(milliseconds);
    this.goOn();
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
    expect(this.#complaint).toBe('');
  }
}

/** One process, from its start to its sudden end. */
async function liveAndDie(args: readonly string[], random: SeededRandom): Promise<void> {
  const instance = new Instance(args);
  try {
    await instance.ready();
    await sleep(random.between(20, 700));
    if (random.next() < 0.4) {
      // Until another one has its lease; then it goes on as if nothing had happened.
      await instance.pause(random.between(300, 900));
      await sleep(random.between(5, 100));
    }
  } finally {
    await instance.kill();
  }
}

/** The rows of the version that serves in the end, and what the logs come to. */
async function judge(store: Store, version: string, random: SeededRandom): Promise<void> {
  const counts = project<Counts>(store, {
    name: 'counts',
    version: Number(version),
    category: 'account',
    leaseTime: 300,
    // It counts the same, in other words.
    fingerprint: false,
    initial: () => ({ events: 0, sum: 0 }),
    on: {
      Counted: ({ events, sum }, { payload }) => ({
        events: events + 1,
        sum: sum + (payload as number),
      }),
      Emptied: () => null,
    },
  });
  await counts.caughtUp();
  const rows = new Map<string, Counts>();
  for await (const [key, row] of counts.rows()) rows.set(key, row);
  const folds = new Map<string, Counts>();
  let events = 0;
  for (const log of LOGS) {
    const fold = await foldOf(store, log);
    if (fold.state !== undefined) folds.set(log, fold.state);
    events += fold.events;
  }
  expect(rows, `seed ${random.seed}`).toEqual(folds);
  expect(events).toBeGreaterThan(100);
  // Nothing of earlier versions stays.
  await eventually(async () => {
    expect(await store.records.get('projection:counts:current')).toBe(
      `{"serving":${version},"versions":[${version}]}`,
    );
  });
  for (let earlier = 1; earlier < Number(version); earlier += 1) {
    expect(await store.readModels.checkpoint(`counts@${earlier}`)).toBeNull();
  }
  await counts.stop();
}

async function foldOf(
  { log: eventLog }: Store,
  log: LogName,
): Promise<{ state: Counts | undefined; events: number }> {
  let state: Counts | undefined;
  let events = 0;
  let page = await eventLog.read(log, { limit: 1_000 });
  for (;;) {
    for (const { type, payload } of page.events) {
      events += 1;
      const { events: count, sum } = state ?? { events: 0, sum: 0 };
      state =
        type === 'Emptied' ? undefined : { events: count + 1, sum: sum + (payload as number) };
    }
    if (!page.more) return { state, events };
    page = await eventLog.read(log, { limit: 1_000, after: page.events.at(-1)!.id });
  }
}
