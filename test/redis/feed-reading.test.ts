/** What can become of the feed in Redis, where anybody can do anything to it. */
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EventId } from '../../src/event/event-id.ts';
import { FEED_START, type FeedOptions } from '../../src/feed/feed.ts';
import { parseFeedOptions } from '../../src/feed/options.ts';
import { FeedReader } from '../../src/stores/redis/feed/reader.ts';
import {
  FIRST_MARKS,
  type MarksPage,
  RedisFeedIndex,
} from '../../src/stores/redis/feed/redis-feed-index.ts';
import { ENTRIES_SCRIPT, EVENTS_SCRIPT } from '../../src/stores/redis/feed/scripts.ts';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { callScript, type Script } from '../../src/stores/redis/place/scripts.ts';
import { FeedFollower } from '../../src/testing/contract/feed/feed-follower.ts';
import { appendMany, appendOne } from '../../src/testing/contract/log/say.ts';
import { keysOf } from '../contract/log/redis-under-test.ts';
import { eventually } from '../support/eventually.ts';
import { randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';

let server: RedisServer;
let commands: Redis;
let eventLog: RedisLog;

beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'yes', appendfsync: 'always' });
  commands = new Redis(server.url());
  commands.on('error', () => {});
  eventLog = await RedisLog.open(server.url(), { feedScan: 0, sweepInterval: 0 });
});

afterAll(async () => {
  await eventLog.close();
  commands.disconnect();
  await server[Symbol.asyncDispose]();
});

// Ours alone: no other test file knows this server.
beforeEach(async () => {
  await commands.del('feed', '{feed}:indexed');
});

async function appendSix(): Promise<{ log: ReturnType<typeof randomLog>; ids: EventId[] }> {
  const log = randomLog();
  const ids: EventId[] = [];
  for (let count = 0; count < 6; count += 1) ids.push(await appendOne(eventLog, log));
  return { log, ids };
}

it('has the position of an entry as its ID', async () => {
  await appendSix();
  const entries = await commands.xrange('feed', '-', '+');
  expect(entries.map(([id]) => id)).toEqual(['0-1', '0-2', '0-3', '0-4', '0-5', '0-6']);
});

it('tells who was below what others trimmed of it', async () => {
  const { log, ids } = await appendSix();
  const [first, third] = [
    (await eventLog.feed({ limit: 1 })).cursor,
    (await eventLog.feed({ limit: 3 })).cursor,
  ];
  await commands.xtrim('feed', 'MAXLEN', 3);
  for (const after of [FEED_START, first]) {
    const page = await eventLog.feed({ after });
    expect(page).toMatchObject({ standing: 'trimmed', position: 6, end: 6, more: false });
    expect(page.items.map(({ events }) => events[0]!.id)).toEqual(ids.slice(3));
  }
  // Exactly what it had read is gone.
  expect(await eventLog.feed({ after: third })).toMatchObject({ standing: 'whole', position: 6 });

  await commands.xtrim('feed', 'MAXLEN', 0);
  expect(await eventLog.feed({ after: third })).toMatchObject({
    standing: 'trimmed',
    items: [],
    position: 6,
    end: 6,
  });
  const end = await eventLog.feedEnd();
  const next = await appendOne(eventLog, log);
  const page = await eventLog.feed({ after: end });
  expect(page).toMatchObject({ standing: 'whole', position: 7 });
  expect(page.items[0]!.events[0]!.id).toBe(next);
});

it('tells of a trim also within an entry that was begun', async () => {
  const log = randomLog();
  await appendMany(eventLog, log, 4);
  const { cursor } = await eventLog.feed({ limit: 2 });
  const next = await appendOne(eventLog, log);
  await commands.xtrim('feed', 'MAXLEN', 1);
  const page = await eventLog.feed({ after: cursor });
  expect(page).toMatchObject({ standing: 'trimmed', position: 2 });
  expect(page.items.map(({ events }) => events[0]!.id)).toEqual([next]);
});

it('stops at an entry that somebody deleted, and tells of it with the next page', async () => {
  const { ids } = await appendSix();
  await commands.xdel('feed', '0-3', '0-4');
  const before = await eventLog.feed();
  expect(before).toMatchObject({ standing: 'whole', position: 2, end: 6, more: true });
  const after = await eventLog.feed({ after: before.cursor });
  expect(after).toMatchObject({ standing: 'trimmed', position: 6, more: false });
  expect(after.items.map(({ events }) => events[0]!.id)).toEqual(ids.slice(4));

  await commands.xdel('feed', '0-5', '0-6');
  expect(await eventLog.feed({ after: before.cursor })).toMatchObject({
    standing: 'trimmed',
    position: 6,
    more: false,
  });
});

it('tells a reset when it was removed, whatever has taken its place', async () => {
  const { log } = await appendSix();
  const { cursor } = await eventLog.feed({ limit: 2 });
  const end = await eventLog.feedEnd();
  await commands.del('feed');
  for (const after of [cursor, end]) {
    expect(await eventLog.feed({ after })).toMatchObject({ standing: 'reset', end: 0 });
  }
  for (let count = 0; count < 9; count += 1) await appendOne(eventLog, log);
  for (const after of [cursor, end]) {
    expect(await eventLog.feed({ after })).toMatchObject({ standing: 'reset', position: 9 });
  }
});

it('says what is wrong where something else has its key', async () => {
  await commands.set('feed', 'not a stream');
  await expect(eventLog.feed()).rejects.toMatchObject({ code: 'wrong_type' });
  await expect(eventLog.feedEnd()).rejects.toMatchObject({ code: 'wrong_type' });
  await commands.del('feed');
  await commands.xadd('feed', '1526919030474-0', 'account:1', '1-1 1-1');
  await expect(eventLog.feed()).rejects.toThrow(/remove feed and \{feed\}:indexed/);
});

it('goes on where a log is no log any more', async () => {
  const [log, other] = [randomLog(), randomLog()];
  await appendMany(eventLog, log, 2);
  const id = await appendOne(eventLog, other);
  await commands.set(keysOf(log).stream, 'not a log');
  const { items } = await eventLog.feed();
  expect(items).toMatchObject([
    { log, events: [], whole: false },
    { log: other, whole: true },
  ]);
  expect(items[1]!.events[0]!.id).toBe(id);
});

it('is built anew by the scan when it was removed with its marks', async () => {
  const logs = Array.from({ length: 5 }, () => randomLog());
  const expected = new Map(
    await Promise.all(
      logs.map(async (log) => [log, await appendMany(eventLog, log, 700)] as const),
    ),
  );
  await commands.del('feed', '{feed}:indexed');
  const scanning = await RedisLog.open(server.url(), { feedScan: 20 });
  try {
    await scanning.followFeed(() => {});
    const reader = new FeedFollower(scanning, logs, FEED_START);
    await eventually(async () => {
      await reader.toTheEnd();
      reader.assertRead(expected);
    });
    expect(reader.items.every(({ whole }) => whole)).toBe(true);
  } finally {
    await scanning.close();
  }
});

it('takes in no stream whose name no log can have', async () => {
  const log = randomLog();
  const scanning = await RedisLog.open(server.url(), { feedScan: 20 });
  const strange = [
    'no-category:log',
    'a:b:c:log',
    `account:${'x'.repeat(200)}:log`,
    'account:ä:log',
  ];
  try {
    await scanning.followFeed(() => {});
    for (const key of strange) await commands.xadd(key, '*', 'type', 'T', 'payload', '');
    await commands.set('account:text:log', 'no stream');
    const reader = new FeedFollower(scanning, [log], FEED_START);
    // Several rounds: each finds what was added before it began.
    for (let round = 1; round <= 3; round += 1) {
      await commands.xadd(keysOf(log).stream, '*', 'type', 'T', 'payload', '');
      await eventually(async () => (await reader.toTheEnd()).idsOf(log).length === round);
    }
    const marks = await commands.hkeys('{feed}:indexed');
    expect(marks.filter((name) => strange.includes(`${name}:log`))).toEqual([]);
  } finally {
    await scanning.close();
    await commands.del(...strange, 'account:text:log');
  }
});

it('is not shared by two databases', async () => {
  const other = await RedisLog.open(server.url(3));
  try {
    const log = randomLog();
    let wakes = 0;
    await other.followFeed(() => {
      wakes += 1;
    });
    const before = wakes;
    await appendOne(eventLog, log);
    expect((await other.feed()).end).toBe(0);
    await appendOne(other, log);
    await eventually(() => wakes > before);
    expect(await other.feed()).toMatchObject({ end: 1 });
  } finally {
    await other.close();
  }
});

it('has what was added while Redis restarted, and wakes who follows', async () => {
  const [log, unknown] = [randomLog(), randomLog()];
  const scanning = await RedisLog.open(server.url(), { feedScan: 50, pingInterval: 500 });
  try {
    const ids = [await appendOne(scanning, log)];
    const reader = new FeedFollower(scanning, [log, unknown], FEED_START);
    let wakes = 0;
    await scanning.followFeed(() => {
      wakes += 1;
    });
    await server.kill();
    await server.start();
    const before = wakes;
    ids.push(
      (await eventually(() =>
        commands.xadd(keysOf(log).stream, '*', 'type', 'T', 'payload', ''),
      )) as EventId,
    );
    const foreign = await commands.xadd(keysOf(unknown).stream, '*', 'type', 'T', 'payload', '');
    await eventually(() => wakes > before);
    await eventually(async () => {
      await reader.toTheEnd();
      reader.assertRead(
        new Map([
          [log, ids],
          [unknown, [foreign as EventId]],
        ]),
      );
    });
    expect(reader.standings).toEqual([]);
  } finally {
    await scanning.close();
  }
});

it('needs no more rights than the manual gives', async () => {
  const manual = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const rule = /^ACL (SETUSER millrace on >secret .*)$/m.exec(manual)![1]!;
  await commands.call('ACL', ...rule.split(' '));
  const url = server.url().replace('//', '//millrace:secret@');
  const [log, followed] = [randomLog(), randomLog()];
  const problems: unknown[] = [];
  const options = { feedScan: 20, sweepInterval: 20 };
  const limited = await RedisLog.open(url, {
    ...options,
    onNotice: (notice) => problems.push(notice),
  });
  try {
    await limited.followFeed(() => {});
    const live = { events: () => {}, wake: () => {}, position: () => '0-0' as EventId };
    await limited.follow(followed, live);
    const reader = new FeedFollower(limited, [log, followed], await limited.feedEnd());
    for (const each of [log, followed]) {
      await commands.xadd(keysOf(each).stream, '*', 'type', 'T', 'payload', '');
    }
    await eventually(async () => (await reader.toTheEnd()).items.length === 2);
    expect(problems).toEqual([]);
  } finally {
    await limited.close();
  }
});

describe('its index, which workers read', () => {
  const index = () => new RedisFeedIndex((...call) => callScript(commands, ...call));

  it('is whole only where the place is still there', async () => {
    const { log } = await appendSix();
    const third = (await eventLog.feed({ limit: 3 })).cursor;
    expect(await index().read(third, 10, '')).toMatchObject({ behind: 3, standing: 'whole' });
    // What comes after it is all there; but who says that it is of the same feed?
    await commands.xtrim('feed', 'MAXLEN', 3);
    const end = await index().end();
    const trimmed = { stretches: [], next: end, more: false, behind: 3, standing: 'trimmed' };
    expect(await index().read(third, 10, '')).toEqual(trimmed);
    expect(await index().read(FEED_START, 10, '')).toEqual({ ...trimmed, behind: 6 });
    // At the end of a feed that was emptied nothing is missing, until more is appended.
    await commands.xtrim('feed', 'MAXLEN', 0);
    expect(await index().end()).toBe('6');
    for (const place of [end, '6']) {
      expect(await index().read(place, 10, '')).toMatchObject({ behind: 0, standing: 'whole' });
    }
    await appendOne(eventLog, log);
    for (const place of [end, '6']) {
      expect(await index().read(place, 10, '')).toMatchObject({ behind: 1, standing: 'trimmed' });
    }
  });

  it('stops before a hole, and tells of it then', async () => {
    await appendSix();
    await commands.xdel('feed', '0-3', '0-6');
    const first = await index().read(FEED_START, 10, '');
    expect(first).toMatchObject({ behind: 6, more: true, standing: 'whole' });
    expect(first.stretches).toHaveLength(2);
    const { next, behind, standing } = await index().read(first.next, 10, '');
    expect([next, behind, standing]).toEqual(['6', 4, 'trimmed']);
  });

  it('passes over what is no stretch of a log', async () => {
    const { log, ids } = await appendSix();
    await commands.xadd('feed', '0-7', 'no log', '1-0 1-0', log, 'nothing', log, '1-0 2-0 3-0');
    const { stretches, next } = await index().read(FEED_START, 10, '');
    expect(stretches.map(({ last }) => last)).toEqual(ids);
    // Such an entry has no end to know it by.
    expect(next).toBe('7');
    expect(await index().read(next, 10, '')).toMatchObject({ behind: 0, standing: 'whole' });
  });

  it('says what is wrong with a stream of somebody else', async () => {
    await commands.xadd('feed', '1526919030474-0', 'name', 'value');
    const remove = 'remove feed and {feed}:indexed';
    for (const read of [index().end(), index().read(FEED_START, 10, '')]) {
      await expect(read).rejects.toMatchObject({
        ...{ code: 'wrong_type', message: expect.stringContaining(remove) },
      });
    }
  });

  it('goes over the marks of a category, and over nothing else that is there', async () => {
    const mine = Array.from({ length: 400 }, () => randomLog('mine'));
    await Promise.all([...mine, randomLog('other')].map((log) => appendOne(eventLog, log)));
    const found: string[] = [];
    let steps = 0;
    for (let from: string | undefined = FIRST_MARKS; from !== undefined; steps += 1) {
      const { marks, next }: MarksPage = await index().marks(from, 50, 'mine');
      found.push(...marks.map(({ log }) => log));
      from = next;
    }
    expect([...new Set(found)].sort()).toEqual([...mine].sort());
    expect(steps).toBeGreaterThan(4);
  });
});

describe('while a page is read', () => {
  /** Reads a page; before call number `count` of that script, something else happens. */
  async function pageWith(
    options: FeedOptions,
    script: Script,
    count: number,
    happens: () => Promise<unknown>,
  ) {
    let calls = 0;
    const reader = new FeedReader(async (called, keys, values) => {
      if (called === script && ++calls === count) await happens();
      return callScript(commands, called, keys, values, 'bytes');
    });
    return reader.page(parseFeedOptions(options));
  }

  it('tells a reset, not of events that somebody trimmed, where all is lost after the index was read', async () => {
    await appendSix();
    const { cursor } = await eventLog.feed({ limit: 2 });
    const lose = () => commands.flushall();
    const page = await pageWith({ after: cursor }, EVENTS_SCRIPT, 1, lose);
    expect(page).toMatchObject({ standing: 'reset', items: [], torn: undefined, end: 0 });
    await appendSix();
    expect(await pageWith({ after: FEED_START }, EVENTS_SCRIPT, 1, lose)).toMatchObject({
      ...{ standing: 'whole', items: [], torn: undefined, position: 0, end: 0 },
    });
  });

  it('still tells of a log that is lost then, and the feed is not', async () => {
    const { log } = await appendSix();
    const remove = () => commands.del(keysOf(log).stream);
    expect(await pageWith({}, EVENTS_SCRIPT, 1, remove)).toMatchObject({
      ...{ standing: 'whole', torn: log, position: 6, end: 6 },
    });
  });

  it('ends the page where the feed is built anew, and goes on with no other one', async () => {
    const logs = [randomLog(), randomLog(), randomLog()];
    for (const log of logs) await appendMany(eventLog, log, 600);
    const fresh = randomLog();
    const page = await pageWith({ limit: 5_000 }, ENTRIES_SCRIPT, 2, async () => {
      await commands.del('feed', '{feed}:indexed');
      const { length } = logs;
      for (let count = 0; count < 9 * length; count += 1) await appendOne(eventLog, fresh);
    });
    expect(page.items.map(({ log }) => log)).not.toContain(fresh);
    expect(await eventLog.feed({ after: page.cursor })).toMatchObject({ standing: 'reset' });
  });
});
