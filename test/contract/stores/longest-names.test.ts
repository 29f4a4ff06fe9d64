/**
 * Names are put together from names: producers, leases, tables, records, dead-letter logs. The
 * longest that each of them may have must fit wherever they end up, in every store.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runFanOut } from '../../../examples/chat/chat.ts';
import {
  accountLog,
  createAccounts,
  decider,
  type EventLog,
  handle,
  type LogName,
  type NewEvent,
  parseLogName,
  processManager,
  project,
  react,
  type Send,
  type Store,
  work,
} from '../../../src/index.ts';
import { openStore } from '../../../src/stores/open.ts';
import { testStore } from '../../../src/testing/test-store.ts';
import { RedisServer } from '../../support/redis-server.ts';

type AnyStore = Store<EventLog>;

let server: Promise<RedisServer> | undefined;
const folders: string[] = [];
let databases = 0;

afterAll(async () => {
  await (await server)?.[Symbol.asyncDispose]();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const STORES: Readonly<Record<string, () => Promise<AnyStore>>> = {
  memory: async () => testStore({ start: Date.now() }),
  async embedded() {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-names-'));
    folders.push(folder);
    return openStore(folder);
  },
  async redis() {
    server ??= RedisServer.start();
    databases += 1;
    return openStore((await server).url(databases));
  },
};

const CATEGORY = 'c'.repeat(64);
const OWNER = 'o'.repeat(128);
const NAME = 'n'.repeat(64);
const GROUP = 'g'.repeat(128);
const LOG: LogName = parseLogName(`${CATEGORY}:${OWNER}`);
/** Three bytes each as text, and as many when it is JSON. */
const COMMAND_ID = '€'.repeat(1_024);
const EVENT: NewEvent = { type: 'T'.repeat(256), payload: { text: 'hi' } };

describe.each(Object.keys(STORES))('the longest names in %s', (kind) => {
  async function opened(): Promise<AnyStore & AsyncDisposable> {
    const store = await STORES[kind]!();
    return { ...store, [Symbol.asyncDispose]: () => store.close() };
  }

  test('of a room: the chat copies what is said there to its members', async () => {
    await using store = await opened();
    const room = parseLogName(`room:${'r'.repeat(128)}`);
    const who = 'w'.repeat(128);
    const meta = { from: `account:${who}` };
    await store.log.append(room, [
      { type: 'Joined', payload: {}, meta },
      { type: 'Said', payload: { text: 'hi' }, meta },
    ]);
    const worker = await runFanOut(store);
    await worker.drain();
    expect(await worker.deadLetters()).toEqual([]);
    await worker.stop();
    const { events } = await store.log.read(accountLog(who));
    expect(events.map(({ type }) => type)).toEqual(['Joined', 'Said']);
  });

  test('of a group, its logs and its dead letters', async () => {
    await using store = await opened();
    await store.log.append(LOG, [EVENT, { type: 'Second', payload: 0 }]);
    let isBroken = true;
    const worker = await work(store, {
      group: GROUP,
      category: CATEGORY,
      onDeadLetter: 'hold',
      retries: { attempts: 1 },
      handler: () => {
        if (isBroken) throw new Error('not yet');
      },
    });
    const letters = async () => {
      await worker.drain();
      return worker.deadLetters();
    };
    const [first] = await letters();
    expect(first).toMatchObject({ log: LOG, type: EVENT.type });
    // Once more, so that the letter has one before it.
    await worker.redrive(first!.letter);
    const [again, ...more] = await letters();
    expect(more).toEqual([]);
    expect(again!.letter).not.toBe(first!.letter);
    isBroken = false;
    await worker.redrive(again!.letter);
    expect(await letters()).toEqual([]);
    await worker.stop();
  });

  test('of a decider, its commands and its snapshots', async () => {
    await using store = await opened();
    const counter = decider({
      name: NAME,
      initial: 0,
      decide: (_: null) => EVENT as { type: string; payload: { text: string } },
      evolve: (state) => state + 1,
    });
    const failures: unknown[] = [];
    const snapshots = {
      ...{ records: store.records, every: 1 },
      onNotice: (notice: unknown) => failures.push(notice),
    };
    for (const duplicate of [false, true]) {
      const options = { to: LOG, commandId: COMMAND_ID, since: 0, snapshots };
      expect(await handle(store.log, counter, null, options)).toMatchObject({ duplicate });
    }
    expect(failures).toEqual([]);
    const manager = await processManager(store, {
      name: GROUP,
      category: CATEGORY,
      on: {
        [EVENT.type]: async (_: unknown, send: Send) => {
          await send(counter, null, { to: `${NAME}:${OWNER}` });
        },
      },
    });
    await manager.drain();
    expect(await manager.deadLetters()).toEqual([]);
    await manager.stop();
    expect((await store.log.read(parseLogName(`${NAME}:${OWNER}`))).events).toHaveLength(1);
  });

  test('of a projection, its version, its rows, and of a reaction', async () => {
    await using store = await opened();
    await store.log.append(LOG, [EVENT]);
    const projection = project(store, {
      name: NAME,
      version: Number.MAX_SAFE_INTEGER,
      category: CATEGORY,
      key: ({ log }) => [log, '€'.repeat(341)],
      initial: () => ({ count: 0 }),
      on: {
        [EVENT.type]: (row) => {
          row.count += 1;
        },
      },
    });
    await projection.caughtUp();
    expect(await projection.get(LOG)).toEqual({ count: 1 });
    await projection.stop();
    const changed = {
      ...{ name: `${NAME.slice(1)}c`, version: 999_999_999, category: CATEGORY },
      ...{ initial: () => 0, onChange: 'rebuild' as const },
    };
    for (const [handler, row] of [
      [() => 1, 1],
      [() => 2, 2],
    ] as const) {
      const build = project(store, { ...changed, on: { [EVENT.type]: handler } });
      await build.caughtUp();
      expect(await build.get(LOG)).toBe(row);
      await build.stop();
    }
    const seen: string[] = [];
    const reaction = react(store, {
      name: NAME,
      category: CATEGORY,
      each: ({ log }) => {
        seen.push(log);
      },
    });
    await reaction.caughtUp();
    await reaction.stop();
    expect(seen).toEqual([LOG]);
  });

  test('of an account, and its address', async () => {
    await using store = await opened();
    const accounts = createAccounts({ log: store.log, records: store.records, sweepInterval: 0 });
    const label = 'd'.repeat(62);
    const address = (local: string) =>
      `${local}@${label}.${label}.${label}`.slice(0, 254).replace(/\.$/, '');
    const first = await accounts.register({ email: address('a'.repeat(64)) });
    await accounts.changeEmail(first.id, address('b'.repeat(64)));
    expect(await accounts.findByEmail(address('B'.repeat(64)))).toMatchObject({ id: first.id });
    expect(await accounts.get(OWNER)).toBeUndefined();
    accounts.stop();
  });
});
