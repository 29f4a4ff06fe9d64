/**
 * The promise "unique": no two accounts hold the same address, and none is blocked for ever,
 * whatever crashes, pauses, gets lost or comes late in between.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../src/stores/memory/records/memory-records.ts';
import { openStore, type Store } from '../../src/stores/open.ts';
import {
  type AccountLogs,
  disagreements,
  openAttempts,
  readAccountLogs,
  sharedAddresses,
} from '../support/account-invariants.ts';
import { RedisServer } from '../support/redis-server.ts';
import {
  CLAIM_TIME,
  type Fate,
  type SharedStore,
  type Task,
  type Weather,
  World,
} from './accounts-world.ts';

type Action =
  | { readonly action: 'start'; readonly task: TaskKind; readonly skew: number }
  | {
      readonly action: 'step';
      readonly process: number;
      readonly steps: number;
      readonly fate: Fate;
    }
  | { readonly action: 'weather'; readonly process: number; readonly weather: Weather }
  | { readonly action: 'finish'; readonly process: number }
  | { readonly action: 'pass'; readonly milliseconds: number }
  | { readonly action: 'land' }
  | { readonly action: 'disturb'; readonly account: number };

interface TaskKind {
  readonly does: Task['does'];
  readonly account: number;
  readonly address: number;
}

const ADDRESSES = 2;
const ACCOUNTS = 3;

const task = fc.record<TaskKind>({
  does: fc.oneof(
    { weight: 10, arbitrary: fc.constant('register' as const) },
    { weight: 8, arbitrary: fc.constant('changeEmail' as const) },
    { weight: 5, arbitrary: fc.constant('close' as const) },
    { weight: 1, arbitrary: fc.constantFrom('findByEmail' as const, 'sweep' as const) },
  ),
  account: fc.nat(ACCOUNTS - 1),
  address: fc.nat(ADDRESSES * 2 - 1),
});

const badFate = fc.constantFrom<Fate>('unanswered', 'lost', 'late', 'late', 'unavailable');

const fate = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Fate>('done') },
  { weight: 1, arbitrary: badFate },
);

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      action: fc.constant('start' as const),
      task,
      // Nothing may depend on clocks that agree.
      skew: fc.constantFrom(0, 0, 0, -2 * CLAIM_TIME, 2 * CLAIM_TIME),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      action: fc.constant('step' as const),
      process: fc.nat(9),
      steps: fc.integer({ min: 1, max: 8 }),
      fate,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      action: fc.constant('weather' as const),
      process: fc.nat(9),
      weather: fc.record<Weather>({
        fate: badFate,
        calls: fc.integer({ min: 1, max: 4 }),
        also: fc.constantFrom('writes', 'reads'),
      }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ action: fc.constant('finish' as const), process: fc.nat(9) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      action: fc.constant('pass' as const),
      milliseconds: fc.constantFrom(CLAIM_TIME / 2, CLAIM_TIME + 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ action: fc.constant('land' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      action: fc.constant('disturb' as const),
      account: fc.nat(ACCOUNTS - 1),
    }),
  },
);

/** Accounts that exist at the start, then what happens, then how many of the paused never go on. */
const story = fc.record({
  accounts: fc.nat(2),
  actions: fc.array(action, { minLength: 5, maxLength: 45, size: 'max' }),
  crashed: fc.nat(4),
});

let worlds = 0;

async function play(
  store: SharedStore,
  { accounts, actions, crashed }: { accounts: number; actions: readonly Action[]; crashed: number },
): Promise<void> {
  worlds += 1;
  const world = new World(store, `w${worlds}`);
  const before = Number((await store.records.get('account_id')) ?? 0);
  const emails = Array.from({ length: ADDRESSES }, (_, n) => `w${worlds}-${n}@example.org`);
  /** The upper half of the numbers are the same addresses, written otherwise. */
  const email = (n: number): string =>
    n < ADDRESSES ? emails[n]! : emails[n - ADDRESSES]!.toUpperCase();
  const idOf = (account: number): string => String(before + 1 + account);
  const addresses = emails;

  const taskOf = ({ does, account, address }: TaskKind): Task => {
    if (does === 'sweep') return { does };
    if (does === 'close') return { does, id: idOf(account) };
    if (does === 'changeEmail') return { does, id: idOf(account), email: email(address) };
    return { does, email: email(address) };
  };
  const finish = async (process: { step(fate: Fate): Promise<void>; answer?: unknown }) => {
    // Bounded: nobody may go on for ever.
    for (let step = 0; process.answer === undefined; step += 1) {
      expect(step, 'a process comes to its end').toBeLessThan(2_000);
      await process.step('done');
    }
  };
  const look = async (): Promise<AccountLogs> => {
    const logs = await readAccountLogs(store.log, store.records, before);
    expect(sharedAddresses(logs)).toEqual([]);
    judgeAnswers(world, logs);
    return logs;
  };

  for (let n = 0; n < accounts; n += 1) await world.observer().register({ email: email(n) });
  for (const happens of actions) {
    const { running } = world;
    switch (happens.action) {
      case 'start':
        await world.start(taskOf(happens.task), happens.skew);
        break;
      case 'step': {
        const process = running[happens.process % running.length];
        for (let step = 1; step < happens.steps; step += 1) await process?.step('done');
        await process?.step(happens.fate);
        break;
      }
      case 'weather':
        running[happens.process % running.length]?.expose(happens.weather);
        break;
      case 'finish': {
        const process = running[happens.process % running.length];
        if (process !== undefined) await finish(process);
        break;
      }
      case 'pass':
        world.now += happens.milliseconds;
        break;
      case 'land':
        await world.land();
        break;
      case 'disturb':
        await world.disturb(idOf(happens.account));
    }
    if (store.log instanceof MemoryLog) await look();
  }

  // Everybody but the crashed and one who was paused comes to an end.
  const alive = world.running.slice(crashed);
  const paused = alive.pop();
  for (const process of alive) await finish(process);
  await settled();

  // Long after, the paused one goes on, and what was late arrives.
  await world.landAll();
  if (paused !== undefined) await finish(paused);
  await settled();

  async function settled(): Promise<void> {
    world.now += 10 * CLAIM_TIME;
    const observer = world.observer();
    await observer.sweep();
    expect(await openAttempts(store.records)).toEqual([]);
    const logs = await look();
    for (const [address, [id]] of logs.holders) {
      expect((await observer.findByEmail(address))?.id).toBe(id);
    }
    // Whatever nobody holds can be had, and what somebody holds cannot.
    for (const address of addresses) {
      const registered = observer.register({ email: address });
      if (logs.holders.has(address)) {
        await expect(registered).rejects.toMatchObject({ code: 'address_taken' });
      } else {
        const { id } = await registered;
        expect((await observer.findByEmail(address))?.id).toBe(id);
        await observer.close(id);
        expect(await observer.findByEmail(address)).toBeUndefined();
      }
    }
    // Only now: what arrived late was settled when the address was wanted.
    expect(await disagreements(logs, store.records, addresses)).toEqual([]);
  }
}

/** What a process was told agrees with the logs. */
function judgeAnswers(world: World, { events }: AccountLogs): void {
  for (const process of world.processes) {
    const { name, task, answer } = process;
    const own = [...events.values()].flat().filter(({ type, meta }) => {
      const mark = meta?.reservation as { attempt?: string } | undefined;
      return type !== 'ReservationAbandoned' && mark?.attempt?.startsWith(`${name}/`);
    });
    const changes = task.does !== 'sweep' && task.does !== 'findByEmail';
    const said = `${name} ${JSON.stringify(task)} was told ${JSON.stringify(answer)}`;
    expect(own.length, said).toBeLessThanOrEqual(changes ? 1 : 0);
    if (answer?.told === 'refused') expect(own.length, said).toBe(0);
    if (answer?.told !== 'done' || !changes) continue;
    expect(own.length, said).toBe(1);
    expect(events.get(answer.id!), said).toContain(own[0]);
    // Nobody has written to the log of an account before it existed.
    if (task.does === 'register') expect(events.get(answer.id!)?.[0], said).toBe(own[0]);
    if (task.does !== 'close') expect(own[0]!.payload, said).toMatchObject({ email: task.email });
  }
}

describe('no two accounts hold one address, and none is blocked for ever', () => {
  test('in memory, in many stories', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(story, (told) =>
        play({ log: new MemoryLog(), records: new MemoryRecords() }, told),
      ),
      { numRuns: 600, interruptAfterTimeLimit: 40_000 },
    );
  });

  describe('on Redis', () => {
    let server: RedisServer;
    let store: Store;
    beforeAll(async () => {
      server = await RedisServer.start();
      store = await openStore(server.url());
    });
    afterAll(async () => {
      await store.close();
      await server[Symbol.asyncDispose]();
    });

    test('in some stories', { timeout: 60_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(story, (told) => play(store, told)),
        { numRuns: 120, interruptAfterTimeLimit: 15_000 },
      );
    });
  });

  describe('embedded', () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-accounts-'));
    let store: Store;
    beforeAll(async () => {
      store = await openStore(folder);
    });
    afterAll(async () => {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test('in some stories', { timeout: 60_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(story, (told) => play(store, told)),
        { numRuns: 30, interruptAfterTimeLimit: 15_000 },
      );
    });
  });
});
