/**
 * The promise of the feed: every event of every log once and in its log's order, and what is missing
 * is told; whatever appends, foreign events, trims and reads of several readers come in between.
 */
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareEventIds, type EventId, isAfter, ZERO_ID } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import { FEED_START, type FeedCursor, type FeedPage } from '../../src/feed/feed.ts';
import type { EventLog } from '../../src/log/log.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { indexLogs } from '../../src/stores/redis/feed/index-logs.ts';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';

type Action =
  | { readonly action: 'append'; readonly logs: readonly number[]; readonly events: number }
  | { readonly action: 'foreign'; readonly log: number; readonly events: number }
  | { readonly action: 'index'; readonly log: number }
  | { readonly action: 'trim'; readonly log: number; readonly share: number }
  | { readonly action: 'trimFeed'; readonly kept: number }
  | {
      readonly action: 'read';
      readonly reader: number;
      readonly limit: number;
      readonly maxBytes: number;
    };

const LOGS = 3;
const READERS = 2;
const log = fc.nat({ max: LOGS - 1 });
const events = fc.integer({ min: 1, max: 4 });

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        action: fc.constant('append' as const),
        logs: fc.array(log, { minLength: 1, maxLength: 5 }),
        events,
      }),
    },
    { weight: 2, arbitrary: fc.record({ action: fc.constant('foreign' as const), log, events }) },
    { weight: 1, arbitrary: fc.record({ action: fc.constant('index' as const), log }) },
    {
      weight: 1,
      arbitrary: fc.record({
        action: fc.constant('trim' as const),
        log,
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ action: fc.constant('trimFeed' as const), kept: fc.nat({ max: 6 }) }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        action: fc.constant('read' as const),
        reader: fc.nat({ max: READERS - 1 }),
        limit: fc.integer({ min: 1, max: 9 }),
        maxBytes: fc.constantFrom(1, 60, 10_000),
      }),
    },
  ),
  { maxLength: 40 },
);

/** What a store does beside the contract. */
interface World {
  readonly eventLog: EventLog;
  readonly addForeign: (log: LogName) => Promise<EventId>;
  readonly index: (logs: readonly LogName[]) => Promise<void>;
  /** @returns whether it can */
  readonly trimFeed: (kept: number) => Promise<boolean>;
}

/** Reads pages, and knows what it may have missed. */
class Reader {
  cursor: FeedCursor = FEED_START;
  readonly read = new Map<LogName, EventId[]>();
  /** Whether it was told that entries of the feed are gone. */
  wasToldTrimmed = false;

  take(page: FeedPage, given: ReadonlyMap<LogName, readonly EventId[]>): void {
    expect(page.standing).not.toBe('reset');
    if (page.standing === 'trimmed') this.wasToldTrimmed = true;
    this.cursor = page.cursor;
    for (const { log, events, whole } of page.items) {
      const ids = events.map(({ id }) => id);
      const read = this.read.get(log) ?? [];
      const all = given.get(log)!;
      if (whole) {
        const start = all.indexOf(ids[0]!);
        expect(ids).toEqual(all.slice(start, start + ids.length));
        expect(ids.length).toBeGreaterThan(0);
      }
      for (const id of ids) {
        expect(all).toContain(id);
        expect(isAfter(id, read.at(-1) ?? ZERO_ID)).toBe(true);
        read.push(id);
      }
      this.read.set(log, read);
    }
  }
}

async function play(world: World, script: readonly Action[]): Promise<void> {
  const { eventLog } = world;
  const logs = Array.from({ length: LOGS }, randomLog);
  const given = new Map<LogName, EventId[]>(logs.map((name) => [name, []]));
  const trimmed = new Map<LogName, EventId>(logs.map((name) => [name, ZERO_ID]));
  const readers = Array.from({ length: READERS }, () => new Reader());
  let feedTrimmed = false;
  const readPage = async (reader: Reader, limit: number, maxBytes: number): Promise<boolean> => {
    const page = await eventLog.feed({ after: reader.cursor, limit, maxBytes });
    expect(page.items.flatMap(({ events }) => events).length).toBeLessThanOrEqual(limit);
    reader.take(page, given);
    return page.more;
  };
  for (const each of script) {
    switch (each.action) {
      case 'append':
        // In one turn, so that they share one entry of the feed.
        await Promise.all(
          each.logs.map(async (number) => {
            const news = Array.from({ length: each.events }, () => ({ type: 'T', payload: 'x' }));
            const { ids } = await eventLog.append(logs[number]!, news);
            given.get(logs[number]!)!.push(...ids);
          }),
        );
        for (const ids of given.values()) ids.sort(compareEventIds);
        break;
      case 'foreign':
        for (let count = 0; count < each.events; count += 1) {
          given.get(logs[each.log]!)!.push(await world.addForeign(logs[each.log]!));
        }
        break;
      case 'index':
        await world.index([logs[each.log]!]);
        break;
      case 'trim': {
        const ids = given.get(logs[each.log]!)!;
        const through = ids[Math.floor(each.share * ids.length) - 1];
        if (through === undefined) break;
        await eventLog.trim(logs[each.log]!, through);
        const known = trimmed.get(logs[each.log]!)!;
        if (isAfter(through, known)) trimmed.set(logs[each.log]!, through);
        break;
      }
      case 'trimFeed':
        feedTrimmed = (await world.trimFeed(each.kept)) || feedTrimmed;
        break;
      case 'read':
        await readPage(readers[each.reader]!, each.limit, each.maxBytes);
    }
  }
  await world.index(logs);
  for (const reader of readers) {
    while (await readPage(reader, 1000, 1_000_000));
    if (reader.wasToldTrimmed) {
      expect(feedTrimmed).toBe(true);
      continue;
    }
    for (const name of logs) {
      const read = new Set(reader.read.get(name));
      const missed = given.get(name)!.filter((id) => !read.has(id));
      for (const id of missed) expect(isAfter(id, trimmed.get(name)!)).toBe(false);
    }
  }
}

test('on the store in memory', async () => {
  await fc.assert(
    fc.asyncProperty(actions, async (script) => {
      const eventLog = new MemoryLog();
      const addForeign = async (name: LogName) =>
        (await eventLog.append(name, [{ type: 'T', payload: 'x' }])).version;
      await play(
        { eventLog, addForeign, index: async () => {}, trimFeed: async () => false },
        script,
      );
    }),
    { numRuns: 200 },
  );
});

describe('on Redis', () => {
  let server: RedisServer;
  let commands: Redis;
  let eventLog: RedisLog;

  beforeAll(async () => {
    server = await RedisServer.start();
    commands = new Redis(server.url());
    eventLog = await RedisLog.open(server.url(), { sweepInterval: 0, feedScan: 0 });
  });

  afterAll(async () => {
    await eventLog.close();
    commands.disconnect();
    await server[Symbol.asyncDispose]();
  });

  test('with foreign events, and trims of the feed itself', async () => {
    await fc.assert(
      fc.asyncProperty(actions, async (script) => {
        await commands.del('feed', '{feed}:indexed');
        const world: World = {
          eventLog,
          addForeign: async (name) =>
            (await commands.xadd(`${name}:log`, '*', 'type', 'T', 'payload', 'x')) as EventId,
          index: (names) =>
            indexLogs(
              commands,
              names.map((name) => `${name}:log`),
            ),
          trimFeed: async (kept) => (await commands.xtrim('feed', 'MAXLEN', kept)) > 0,
        };
        await play(world, script);
      }),
      { numRuns: 100 },
    );
  }, 30_000);
});
