/** What the contract suite does not ask of this store: its folder, and what is left on the disk. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MillraceError } from '../../../../../src/event/error.ts';
import type { StoredEvent } from '../../../../../src/event/event.ts';
import { ZERO_ID } from '../../../../../src/event/event-id.ts';
import { FEED_START } from '../../../../../src/feed/feed.ts';
import { EmbeddedStore } from '../../../../../src/stores/embedded/embedded-store.ts';
import { type Databases, openDatabases } from '../../../../../src/stores/embedded/layout.ts';
import { EmbeddedLog } from '../../../../../src/stores/embedded/log/embedded-log.ts';
import { eventually } from '../../../../support/eventually.ts';
import { randomLog } from '../../../../support/names.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-embedded-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('an embedded log', () => {
  it('gives the feed whatever the sizes of its events, and however they change', async () => {
    const log = await EmbeddedLog.open(folder);
    const logs = Array.from({ length: 40 }, () => randomLog());
    const sizes = [
      ...Array.from({ length: 300 }, () => 10),
      ...Array.from({ length: 80 }, () => 200_000),
      ...Array.from({ length: 300 }, () => 10),
    ];
    const appended: string[] = [];
    for (const [index, size] of sizes.entries()) {
      const name = logs[index % logs.length]!;
      const payload = `${index} `.padEnd(size, 'x');
      const { version } = await log.append(name, [{ type: 'Said', payload }]);
      appended.push(`${name}/${version}/${payload}`);
    }
    for (const maxBytes of [1, 30_000, 500_000, 50_000_000]) {
      const read: string[] = [];
      for (let after = FEED_START, more = true; more; ) {
        const page = await log.feed({ after, limit: 10_000, maxBytes });
        let bytes = 0;
        for (const item of page) {
          for (const { id, payload } of item.events) {
            read.push(`${item.log}/${id}/${payload}`);
            bytes += (payload as string).length;
          }
        }
        expect(bytes <= maxBytes || [...page].length === 1).toBe(true);
        ({ cursor: after, more } = page);
      }
      expect(read).toEqual(appended);
    }
    await log.close();
  });

  it('has what was appended after it was closed and opened again', async () => {
    const name = randomLog();
    const before = await EmbeddedLog.open(folder);
    const told: StoredEvent[] = [];
    await before.follow(name, {
      events: (_, events) => told.push(...events),
      wake: () => {},
      position: () => ZERO_ID,
    });
    const bytes = new Uint8Array([1, 2, 3]);
    const appending = before.append(name, [
      { type: 'Said', payload: 'hello', meta: { who: 'me' } },
      { type: 'Counted', payload: { n: 1 } },
      { type: 'Sent', payload: bytes },
    ]);
    bytes.fill(0);
    const appended = await appending;
    await before.close();

    const after = await EmbeddedLog.open(folder);
    const page = await after.read(name);
    expect(page.events.map((event) => event.id)).toEqual(appended.ids);
    expect(page.events.map((event) => event.payload)).toEqual([
      'hello',
      { n: 1 },
      new Uint8Array([1, 2, 3]),
    ]);
    expect(page.events[0]?.meta).toEqual({ who: 'me' });
    expect(page.version).toBe(appended.version);
    expect(told).toEqual(page.events);
    const next = await after.append(name, [{ type: 'Said', payload: 'again' }]);
    expect((await after.read(name, { after: appended.version })).events[0]?.id).toBe(next.ids[0]);
    await after.close();
  });

  it('deletes what was trimmed, in chunks, and goes on with that when it is opened again', async () => {
    const name = randomLog();
    const first = await EmbeddedLog.open(folder);
    const event = { type: 'Said', payload: 'hello' };
    for (let round = 0; round < 5; round++) await first.append(name, Array(1_000).fill(event));
    const { version } = await first.append(name, [event]);
    await first.append(name, [event]);
    await first.trim(name, version);
    const { events, standing } = await first.read(name);
    expect(events).toHaveLength(1);
    expect(standing).toEqual({ state: 'trimmed', resumeAfter: version });
    await first.close();
    expect(await eventsKept()).toBeGreaterThan(1);

    const second = await EmbeddedLog.open(folder);
    await eventually(async () => {
      await second.append(name, [event]);
      return second.read(name, { after: version }).then((page) => page.events.length > 12);
    });
    await second.close();
    const kept = await eventsKept();
    const third = await EmbeddedLog.open(folder);
    expect((await third.read(name, { limit: 1_000 })).events).toHaveLength(kept);
    await third.close();
  });

  it('forgets producers that have been idle, as others come', async () => {
    let now = 1_000_000;
    const log = await EmbeddedLog.open(folder, { clock: () => now, producerIdle: 60_000 });
    const name = randomLog();
    const append = (id: string, seq = 0) =>
      log.append(name, [{ type: 'T', payload: '' }], { producer: { id, epoch: 0, seq } });
    await Promise.all(Array.from({ length: 300 }, (_, index) => append(`old-${index}`)));
    await append('busy');
    now += 59_000;
    await append('busy', 1);
    now += 2_000;
    for (let index = 0; index < 300; index += 10) {
      await Promise.all(Array.from({ length: 10 }, (_, more) => append(`new-${index + more}`)));
    }
    expect(await append('busy', 2)).toMatchObject({ duplicate: false });
    await log.close();
    const ids = await looking(({ producers }) =>
      Array.from(producers.getKeys({ start: [0, ''], end: [2 ** 32 - 1, ''] }), ([, id]) => id),
    );
    expect(ids.filter((id) => id.startsWith('old-'))).toEqual([]);
    expect(ids).toHaveLength(301);
  });

  it('writes one entry into the feed for each append, in their order', async () => {
    const names = [randomLog(), randomLog()];
    const log = await EmbeddedLog.open(folder);
    const event = { type: 'T', payload: '' };
    const appended = await Promise.all(
      [0, 1, 0, 1].map((which) => log.append(names[which]!, [event, event])),
    );
    await log.close();
    const again = await EmbeddedLog.open(folder);
    const last = await again.append(names[0]!, [event]);
    await again.close();
    const entries = await looking(({ feed }) => [...feed.getRange({ start: 0, end: 100 })]);
    expect(entries.map(({ key }) => key)).toEqual([1, 2, 3, 4, 5]);
    expect(entries.map(({ value }) => value)).toEqual(
      [...appended, last].map(({ ids, version }, index) => ({
        log: names[index % 2],
        number: 1 + (index % 2),
        first: ids[0],
        last: version,
      })),
    );
  });

  it('lets others have a turn, however many read', async () => {
    const log = await EmbeddedLog.open(folder);
    const name = randomLog();
    await log.append(name, Array(1_000).fill({ type: 'T', payload: 'x'.repeat(100) }));
    let reading = true;
    const readers = Array.from({ length: 50 }, async () => {
      while (reading) await log.read(name, { limit: 1_000 });
    });
    // Without turns in between this would never be answered, nor the timer go off.
    await log.append(name, [{ type: 'T', payload: '' }]);
    const start = performance.now();
    await sleep(1);
    expect(performance.now() - start).toBeLessThan(1_000);
    reading = false;
    await Promise.all(readers);
    await log.close();
  });

  it('says how durable it is', async () => {
    const log = await EmbeddedLog.open(folder);
    expect(await log.describe()).toEqual({
      store: `embedded, in ${folder}`,
      durability: expect.stringContaining('flushed'),
      warnings: [],
    });
    await log.close();
  });
});

describe('a folder that cannot be used', () => {
  const problem = (path: string) =>
    EmbeddedLog.open(path).then(
      () => 'none',
      ({ code, message }: MillraceError) => `${code}: ${message}`,
    );

  it('is told when it is a file, or below one', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    for (const path of [file, join(file, 'below')]) {
      expect(await problem(path)).toBe(
        `store_unusable: the store folder ${path} cannot be used: it, or a folder above it, is a file; name a folder`,
      );
    }
  });

  it('is told when it is not ours to write', async () => {
    // Not even root may write here.
    expect(await problem('/proc/millrace')).toMatch(
      /^store_unusable: .*\/proc\/millrace cannot be used: /,
    );
  });

  it('is told when it holds another database', async () => {
    const other = open(folder, { noSubdir: false });
    await other.put('key', 'value');
    await other.close();
    expect(await problem(folder)).toContain('data.mdb in it belongs to another program');
  });

  it.each([
    ['something else', 'no database at all'.repeat(1_000)],
    ['a piece of a database', `${'\0'.repeat(24)}\xde\xc0\xef\xbe\x02\0\0\0`],
  ])('is told when data.mdb is %s', async (_, content) => {
    writeFileSync(join(folder, 'data.mdb'), content, 'latin1');
    expect(await problem(folder)).toContain('is not a database that this version can read');
    // The lock was given back.
    rmSync(join(folder, 'data.mdb'));
    const log = await EmbeddedLog.open(folder);
    await log.close();
  });

  const isRoot = process.getuid?.() === 0;
  const skipped = isRoot ? ' (skipped: root may write everywhere)' : '';
  it.skipIf(isRoot)(`is told when it belongs to somebody else${skipped}`, async () => {
    await (await EmbeddedLog.open(folder)).close();
    chmodSync(join(folder, 'data.mdb'), 0o400);
    expect(await problem(folder)).toContain('this user may not write there');
  });
});

/** Looks into the databases behind the back of the log. Closes them whatever happens: LMDB would mistake the next file for a deleted one that is open. */
async function looking<T>(look: (databases: Databases) => T): Promise<T> {
  const store = await EmbeddedStore.open(folder);
  try {
    return look(openDatabases(store));
  } finally {
    await store.close(1_000);
  }
}

function eventsKept(): Promise<number> {
  const all = { start: [0, ZERO_ID], end: [2 ** 32 - 1, ZERO_ID] } as const;
  return looking(({ events }) => [...events.getKeys(all)].length);
}
