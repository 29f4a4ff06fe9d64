/**
 * "Unique", with real processes: they are killed with `kill -9` and paused at random moments, and
 * in the end the whole store is looked at. Model-based, step by step: test/property/accounts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { createAccounts } from '../../src/accounts/accounts.ts';
import { openStore } from '../../src/stores/open.ts';
import {
  disagreements,
  openAttempts,
  readAccountLogs,
  sharedAddresses,
} from '../support/account-invariants.ts';
import { RedisServer } from '../support/redis-server.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { buildOnce } from './embedded-remote.ts';

const program = join(dirname(fileURLToPath(import.meta.url)), 'accounts-child.mjs');

/** How long processes come and go, in milliseconds. */
const RUN_TIME = 7_000;
const LONGEST_RUN_TIME = 30_000;
/** How many answers make a run. */
const FEWEST = 20;
const CLAIM_TIME = 250;
/** Few enough that everybody wants the same ones. */
const ADDRESSES = 24;

type Said = readonly [does: string, id: string, email: string];

beforeAll(buildOnce, 60_000);

it('on Redis, with several processes that are killed and paused', { timeout: 60_000 }, async () => {
  const random = SeededRandom.fromEnvironment();
  await using server = await RedisServer.start();
  const said: Said[] = [];
  const goOn = runFor(said);
  const slots = Array.from({ length: 3 }, async () => {
    while (goOn()) await liveAndDie(server.url(), said, random);
  });
  await Promise.all(slots);
  await judge(server.url(), said, random);
});

it('embedded, with one process at a time that is killed', { timeout: 60_000 }, async () => {
  const random = SeededRandom.fromEnvironment();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-accounts-'));
  try {
    const said: Said[] = [];
    const goOn = runFor(said);
    while (goOn()) await liveAndDie(folder, said, random);
    await judge(folder, said, random);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Says whether to go on: for a while, and longer where a busy machine gets little done. */
function runFor(said: readonly Said[]): () => boolean {
  const start = performance.now();
  return () => {
    const time = performance.now() - start;
    return time < RUN_TIME || (said.length < FEWEST && time < LONGEST_RUN_TIME);
  };
}

/** One process, from its start to its sudden end. */
async function liveAndDie(location: string, said: Said[], random: SeededRandom): Promise<void> {
  const child = spawn(process.execPath, [program, location, String(ADDRESSES), String(CLAIM_TIME)]);
  const exited = once(child, 'exit');
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  let complaint = '';
  child.stderr.on('data', (data) => {
    complaint += data;
  });
  try {
    await listen(child, said);
    await sleep(random.between(50, 700));
    if (random.next() < 0.4) {
      // Paused until its attempts are overdue, and others have settled them; then it goes on.
      child.kill('SIGSTOP');
      await sleep(CLAIM_TIME * (1 + random.next() * 2));
      child.kill('SIGCONT');
      await sleep(random.between(5, 100));
    }
  } finally {
    child.kill('SIGKILL');
    await exited;
    process.off('exit', killWithUs);
  }
  expect(complaint, `seed ${random.seed}`).toBe('');
}

/** Resolves when the process is ready; goes on to take down what it says. */
function listen(child: ChildProcess, said: Said[]): Promise<void> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the process ended before it was ready')));
    child.stdout!.on('data', (data) => {
      text += data;
      const lines = text.split('\n');
      text = lines.pop()!;
      for (const line of lines) {
        const [does, id, email] = JSON.parse(line) as string[];
        if (does === 'ready') resolve();
        else said.push([does!, id!, email!]);
      }
    });
  });
}

/** Looks at the whole store: each answer was true, each address has one holder, or can be had. */
async function judge(location: string, said: readonly Said[], random: SeededRandom): Promise<void> {
  const { log, records, close } = await openStore(location);
  const accounts = createAccounts({ log, records, claimTime: CLAIM_TIME, sweepInterval: 0 });
  try {
    // All processes are dead: soon everything that they left is overdue.
    await sleep(CLAIM_TIME + 1);
    const settled = await accounts.sweep();
    expect(await openAttempts(records)).toEqual([]);
    const addresses = Array.from({ length: ADDRESSES }, (_, n) => `user${n}@example.org`);

    const logs = await readAccountLogs(log, records);
    expect(sharedAddresses(logs)).toEqual([]);
    for (const [does, id, email] of said) {
      const events = logs.events.get(id) ?? [];
      const came =
        does === 'register'
          ? events[0]?.type === 'AccountRegistered' && emailIn(events[0]) === email
          : does === 'close'
            ? events.some(({ type }) => type === 'AccountClosed')
            : events.some((event) => event.type === 'EmailChanged' && emailIn(event) === email);
      expect(came, `${does} ${id} ${email} was acknowledged`).toBe(true);
    }
    for (const address of addresses) {
      const holder = logs.holders.get(address)?.[0];
      const registered = accounts.register({ email: address });
      if (holder === undefined) await registered;
      else await expect(registered).rejects.toMatchObject({ code: 'address_taken' });
    }
    // Only now: what a paused process did late was settled when the address was wanted.
    const after = await readAccountLogs(log, records);
    expect(await disagreements(after, records, addresses)).toEqual([]);

    // The run has to have been one: there was work, and work was broken off.
    const events = [...logs.events.values()].flat();
    const abandoned = events.filter(({ type }) => type === 'ReservationAbandoned').length;
    expect(said.length).toBeGreaterThanOrEqual(FEWEST);
    expect(abandoned + settled).toBeGreaterThan(0);
  } catch (error) {
    throw new Error(`seed ${random.seed}`, { cause: error });
  } finally {
    await close();
  }
}

function emailIn({ payload }: { payload: unknown }): unknown {
  return (payload as { email?: unknown }).email;
}
