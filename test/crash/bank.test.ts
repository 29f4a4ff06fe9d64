/**
 * The bank of examples/bank, used by 8 processes at once while what carries out its transfers and
 * what keeps its balances is killed with `kill -9` at random moments, and started again. In the end
 * the whole store is looked at: test/support/bank-checker.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { balances, runTransfers } from '../../examples/bank/bank.ts';
import { project } from '../../src/projection/project.ts';
import { openStore } from '../../src/stores/open.ts';
import { complaints, type Said } from '../support/bank-checker.ts';
import { freePort } from '../support/free-port.ts';
import { RedisServer } from '../support/redis-server.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { buildOnce } from './embedded-remote.ts';

const program = join(dirname(fileURLToPath(import.meta.url)), 'bank-child.mjs');

const CUSTOMERS = 8;
const ACCOUNTS = 12;
/** How long it all goes on, in milliseconds. */
const RUN_TIME = 10_000;
const LONGEST_RUN_TIME = 40_000;
/** How many answers, and how many violent ends, make a run. */
const FEWEST_ANSWERS = 100;
const FEWEST_KILLS = 6;

beforeAll(buildOnce, 60_000);

it('on Redis: workers and projections are killed, two of each', { timeout: 120_000 }, async () => {
  const random = SeededRandom.fromEnvironment();
  await using server = await RedisServer.start({ appendonly: 'yes', appendfsync: 'no' });
  const run = new Run(random);
  const customers = await run.customers(server.url());
  await Promise.all(
    ['transfers', 'transfers', 'balances', 'balances'].map((role) =>
      run.liveAndDie(role, server.url()),
    ),
  );
  await run.end(customers);
  await judge(server.url(), run);
});

it('embedded: the process that has the folder is killed', { timeout: 120_000 }, async () => {
  const random = SeededRandom.fromEnvironment();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bank-'));
  try {
    const run = new Run(random);
    const port = await freePort();
    const serving = run.liveAndDie('all', folder, { PORT: String(port) });
    const customers = await run.customers(`http://127.0.0.1:${port}`);
    await serving;
    await run.end(customers);
    await judge(folder, run);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The processes of one run, and what the customers were told. */
class Run {
  readonly random: SeededRandom;
  readonly said: Said[] = [];
  kills = 0;
  readonly #start = performance.now();

  constructor(random: SeededRandom) {
    this.random = random;
  }

  /** For a while, and longer where a busy machine gets little done. */
  #goesOn(): boolean {
    const time = performance.now() - this.#start;
    const wasEnough = this.said.length >= FEWEST_ANSWERS && this.kills >= FEWEST_KILLS;
    return time < RUN_TIME || (!wasEnough && time < LONGEST_RUN_TIME);
  }

  customers(location: string): Promise<Child[]> {
    return Promise.all(
      Array.from({ length: CUSTOMERS }, () => Child.start('commands', location, {}, this.said)),
    );
  }

  /** One process after the other, each from its start to its sudden end. */
  async liveAndDie(role: string, location: string, env: Record<string, string> = {}) {
    while (this.#goesOn()) {
      const child = await Child.start(role, location, env);
      await sleep(this.random.between(100, 1_500));
      await child.kill();
      this.kills += 1;
    }
  }

  /** The customers are cut off as well, in the middle of whatever they do. */
  async end(customers: readonly Child[]): Promise<void> {
    await Promise.all(customers.map((customer) => customer.kill()));
  }
}

/** Should the test itself be ended, nobody stays behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

class Child {
  readonly #process: ChildProcess;
  #complaint = '';

  private constructor(child: ChildProcess) {
    this.#process = child;
    child.stderr!.on('data', (data) => {
      this.#complaint += data;
    });
  }

  /** Resolves when it is at work; what it says after that goes into `said`. */
  static async start(
    role: string,
    location: string,
    env: Record<string, string>,
    said: Said[] = [],
  ) {
    const child = spawn(process.execPath, [program, role, location, String(ACCOUNTS)], {
      env: { ...process.env, ...env },
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    const self = new Child(child);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`${role} ended by itself: ${self.#complaint}`)));
      let text = '';
      child.stdout!.on('data', (data) => {
        text += data;
        const lines = text.split('\n');
        text = lines.pop()!;
        for (const line of lines) {
          const answer = JSON.parse(line) as Said;
          if (answer[0] === 'ready') resolve();
          else said.push(answer);
        }
      });
    });
    return self;
  }

  async kill(): Promise<void> {
    expect(this.#process.exitCode, this.#complaint).toBeNull();
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
    expect(this.#complaint).toBe('');
  }
}

/** Lets everything that was begun come to its end, and looks at the whole store. */
async function judge(location: string, { said, kills, random }: Run): Promise<void> {
  const store = await openStore(location);
  try {
    const manager = await runTransfers(store, { leaseTime: 1_000 });
    await manager.drain();
    await manager.stop();
    const table = project(store, { ...balances, leaseTime: 1_000 });
    await table.caughtUp();
    const rows = new Map<string, { balance: number }>();
    for await (const [key, row] of table.rows()) rows.set(key, row);
    await table.stop();
    expect(await complaints(store.log, rows, said)).toEqual([]);

    // The run has to have been one.
    expect(said.length).toBeGreaterThanOrEqual(FEWEST_ANSWERS);
    for (const each of ['transfer', 'deposit', 'withdraw']) {
      expect(said.filter(([command]) => command === each).length, each).toBeGreaterThan(10);
    }
    expect(kills).toBeGreaterThanOrEqual(FEWEST_KILLS);
  } catch (error) {
    throw new Error(`seed ${random.seed}`, { cause: error });
  } finally {
    await store.close();
  }
}
