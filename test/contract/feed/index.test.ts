/** The index of the feed: which logs have grown and how far, in every store alike. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, it } from 'vitest';
import type { LogName } from '../../../src/event/log-name.ts';
import type { FeedCursor, Stretch } from '../../../src/feed/feed.ts';
import type { FeedIndex } from '../../../src/feed/feed-index.ts';
import type { EventLog } from '../../../src/log/log.ts';
import { EmbeddedStore } from '../../../src/stores/embedded/embedded-store.ts';
import { EmbeddedFeedIndex } from '../../../src/stores/embedded/feed/embedded-feed-index.ts';
import { openDatabases } from '../../../src/stores/embedded/layout.ts';
import { EmbeddedLog } from '../../../src/stores/embedded/log/embedded-log.ts';
import { MemoryFeedIndex } from '../../../src/stores/memory/feed/memory-feed-index.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { RedisFeedIndex } from '../../../src/stores/redis/feed/redis-feed-index.ts';
import { RedisLog } from '../../../src/stores/redis/log/redis-log.ts';
import { callScript } from '../../../src/stores/redis/place/scripts.ts';
import { appendMany, appendOne } from '../../../src/testing/contract/log/say.ts';
import { randomId, randomLog } from '../../support/names.ts';
import { RedisServer } from '../../support/redis-server.ts';

interface Opened {
  readonly log: EventLog;
  readonly index: FeedIndex;
}

const closing: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

const STORES: Readonly<Record<string, () => Promise<Opened>>> = {
  async memory() {
    const log = new MemoryLog();
    return { log, index: new MemoryFeedIndex(log) };
  },
  async embedded() {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-index-'));
    const store = await EmbeddedStore.open(folder);
    const log = EmbeddedLog.on(store, {});
    closing.push(async () => {
      await log.close();
      rmSync(folder, { recursive: true, force: true });
    });
    return { log, index: new EmbeddedFeedIndex(openDatabases(store)) };
  },
  async redis() {
    const server = await RedisServer.start();
    const log = await RedisLog.open(server.url());
    const redis = new Redis(server.url());
    closing.push(async () => {
      redis.disconnect();
      await log.close();
      await server[Symbol.asyncDispose]();
    });
    const index = new RedisFeedIndex((...call) => callScript(redis, ...call));
    return { log, index };
  },
};

/** All there is after a place, in steps of some entries; the last event of each log. */
async function readAll(index: FeedIndex, after: FeedCursor, entries: number, category: string) {
  const stretches: Stretch[] = [];
  for (let at = after, more = true; more; ) {
    const page = await index.read(at, entries, category);
    expect(page.standing).toBe('whole');
    expect(page.next === at).toBe(!page.more && page.behind === 0);
    stretches.push(...page.stretches);
    ({ next: at, more } = page);
  }
  return stretches;
}

describe.each(Object.entries(STORES))('the index of the feed: %s', (_name, open) => {
  const opened = open();

  it('tells of what was appended, in steps of any size, and ends where the feed does', async () => {
    const { log, index } = await opened;
    const start = await index.end();
    expect(await index.read(start, 10, '')).toEqual({
      ...{ stretches: [], next: start, more: false, behind: 0, standing: 'whole' },
    });
    const logs = Array.from({ length: 7 }, () => randomLog());
    const expected = new Map<LogName, string>();
    for (const name of [...logs, ...logs.slice(2)]) {
      expected.set(name, await appendOne(log, name));
    }
    for (const entries of [1, 2, 3, 100]) {
      const stretches = await readAll(index, start, entries, '');
      expect(stretches.map((stretch) => stretch.log)).toEqual([...logs, ...logs.slice(2)]);
      expect(new Map(stretches.map((stretch) => [stretch.log, stretch.last]))).toEqual(expected);
    }
    const { next, behind, more } = await index.read(start, 5, '');
    expect([behind, more]).toEqual([12, true]);
    expect(await index.read(next, 1, '')).toMatchObject({ behind: 7, more: true });
    expect((await index.read(start, 100, '')).next).toBe(await index.end());
    expect(await log.feedEnd()).toBe(await index.end());
  });

  it('tells of the first and the last event of several', async () => {
    const { log, index } = await opened;
    const start = await index.end();
    const name = randomLog();
    const ids = await appendMany(log, name, 3);
    const stretches = await readAll(index, start, 10, '');
    expect(stretches[0]).toMatchObject({ log: name, first: ids[0] });
    expect(stretches.at(-1)).toMatchObject({ log: name, last: ids[2] });
  });

  it('leaves out other categories, and goes past them', async () => {
    const { log, index } = await opened;
    const category = randomId();
    const start = await index.end();
    const mine = randomLog(category);
    for (const name of [randomLog(), mine, randomLog(`${category}x`), randomLog()]) {
      await appendOne(log, name);
    }
    for (const entries of [1, 2, 100]) {
      const stretches = await readAll(index, start, entries, category);
      expect(stretches.map((stretch) => stretch.log)).toEqual([mine]);
    }
  });

  it('tells who comes with no place of this feed that he must look at the logs', async () => {
    const { log, index } = await opened;
    const name = randomLog();
    const id = await appendOne(log, name);
    const end = await index.end();
    const [position] = end.split('/');
    const ahead = `${Number(position) + 3}/${name}/${id}`;
    const another = `${position}/${name}/9${id}`;
    for (const place of [ahead, another, '', '0-41']) {
      const page = await index.read(place, 10, '');
      expect(page).toMatchObject({ stretches: [], next: end, more: false, standing: 'reset' });
      expect(page.behind).toBeGreaterThan(0);
    }
  });
});
