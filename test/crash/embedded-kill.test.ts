/** `kill -9` at random moments: what was acknowledged is there, once, in order and whole. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import type { StoredEvent } from '../../src/event/event.ts';
import { type EventId, successorOf, ZERO_ID } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import { EmbeddedLog } from '../../src/stores/embedded/log/embedded-log.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { buildOnce } from './embedded-remote.ts';

const program = join(dirname(fileURLToPath(import.meta.url)), 'embedded-load-child.mjs');
const LIVES = 15;
const WRITERS = Array.from({ length: 12 }, (_, index) => `w${index}`);
const LOGS = [0, 1, 2].map((number) => `account:${number}` as LogName);

/** What the processes said about one writer. */
interface Said {
  /** The seq that the next process goes on with. */
  next: number;
  /** The IDs of each append that was answered, by seq. */
  readonly ids: Map<number, readonly string[]>;
}

beforeAll(buildOnce, 60_000);

it('keeps what it acknowledged through kill -9', async () => {
  const random = SeededRandom.fromEnvironment();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-kill-'));
  const said = new Map<string, Said>(WRITERS.map((name) => [name, { next: 0, ids: new Map() }]));
  try {
    let duplicates = 0;
    for (let life = 0; life < LIVES; life++) {
      duplicates += await liveAndDie(folder, said, random.between(1, 150));
    }
    const log = await EmbeddedLog.open(folder);
    const events = (await Promise.all(LOGS.map((name) => readAll(log, name)))).flat();
    await log.close();
    for (const [writer, { next, ids }] of said) {
      const own = events.filter(({ payload }) => (payload as string).startsWith(`${writer} `));
      check(writer, own, next, ids);
    }
    // The run has to have been one: kills have hit between the commit and the answer.
    expect(events.length).toBeGreaterThan(1_000);
    expect(duplicates, `seed ${random.seed}`).toBeGreaterThan(0);
  } catch (error) {
    throw new Error(`seed ${random.seed}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);

/** @returns how many appends were answered as duplicates */
async function liveAndDie(
  folder: string,
  said: Map<string, Said>,
  milliseconds: number,
): Promise<number> {
  const start = Object.fromEntries([...said].map(([writer, { next }]) => [writer, next]));
  const child = spawn(process.execPath, [program, folder, JSON.stringify(start)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const begun = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
      resolve();
    });
  });
  const closed = once(child, 'close');
  await Promise.race([begun, closed]);
  await sleep(milliseconds);
  expect(child.exitCode, 'it ended before it was killed').toBeNull();
  child.kill('SIGKILL');
  await closed;
  // A line that the kill cut short was not said.
  const lines = output.slice(0, output.lastIndexOf('\n')).split('\n');
  let duplicates = 0;
  for (const line of lines) {
    const [writer, seq, ids, duplicate] = JSON.parse(line) as [string, number, string[], boolean];
    said.get(writer)!.ids.set(seq, ids);
    said.get(writer)!.next = seq + 1;
    if (duplicate) duplicates++;
  }
  return duplicates;
}

/** The writer's appends are there from the first on, each once, whole, and with the IDs that were answered. */
function check(
  writer: string,
  events: readonly StoredEvent[],
  next: number,
  answered: ReadonlyMap<number, readonly string[]>,
): void {
  const found = new Map<number, EventId[]>();
  const expected: string[] = [];
  for (const { id, payload } of events) {
    const seq = Number((payload as string).split(' ')[1]);
    found.set(seq, [...(found.get(seq) ?? []), id]);
  }
  for (const seq of found.keys()) {
    for (let index = 0; index <= seq % 4; index++) expected.push(`${writer} ${seq} ${index}`);
  }
  expect(events.map(({ payload }) => payload)).toEqual(expected);
  expect([...found.keys()]).toEqual(Array.from({ length: found.size }, (_, seq) => seq));
  // At most the one that was under way in the last life was not answered.
  expect([next, next + 1]).toContain(found.size);
  for (const [seq, ids] of answered) expect(found.get(seq)).toEqual(ids);
  for (const ids of found.values()) {
    for (let index = 1; index < ids.length; index++) {
      expect(ids[index]).toBe(successorOf(ids[index - 1]!));
    }
  }
}

async function readAll(log: EmbeddedLog, name: LogName): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (let after = ZERO_ID, more = true; more; ) {
    const page = await log.read(name, { after, limit: 10_000, maxBytes: 10_000_000 });
    expect(page.standing).toEqual({ state: 'whole' });
    all.push(...page.events);
    more = page.more;
    after = page.events.at(-1)?.id ?? after;
  }
  return all;
}
