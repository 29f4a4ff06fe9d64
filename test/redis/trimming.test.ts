/**
 * Trims in Redis are done in steps, and whoever does them can die between two: the mark is there,
 * and below it events that nobody has removed yet.
 */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EventId, MAX_ID, ZERO_ID } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import type { ReadOptions } from '../../src/log/log.ts';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { appendMany, idsOf } from '../../src/testing/contract/log/say.ts';
import { keysOf } from '../contract/log/redis-under-test.ts';
import { randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';

let server: RedisServer;
let commands: Redis;
let eventLog: RedisLog;

beforeAll(async () => {
  server = await RedisServer.start();
  commands = new Redis(server.url());
  eventLog = await RedisLog.open(server.url());
});

afterAll(async () => {
  await eventLog.close();
  commands.disconnect();
  await server[Symbol.asyncDispose]();
});

describe('a trim that has only begun', () => {
  /** Ten events, of which four are forgotten and still there. */
  async function begun(): Promise<{ log: LogName; ids: EventId[] }> {
    const log = randomLog();
    const ids = await appendMany(eventLog, log, 10);
    await commands.hset(keysOf(log).meta, 'trimmed', ids[3]!);
    return { log, ids };
  }

  it('is told to who is below the mark, also on an event that is still there', async () => {
    const { log, ids } = await begun();
    for (const after of [ZERO_ID, ids[0], ids[2]]) {
      const page = await eventLog.read(log, { after, limit: 2 });
      expect(page.standing).toEqual({ state: 'trimmed', resumeAfter: ids[3] });
      expect(idsOf(page)).toEqual(ids.slice(4, 6));
      expect(page.more).toBe(true);
    }
  });

  it('is not told to who is at the mark or beyond', async () => {
    const { log, ids } = await begun();
    for (const [after, events] of [
      [ids[3], ids.slice(4)],
      [ids[4], ids.slice(5)],
    ] as const) {
      const page = await eventLog.read(log, { after });
      expect(page.standing).toEqual({ state: 'whole' });
      expect(idsOf(page)).toEqual(events);
    }
  });

  it('has taken from readers who are told nothing what it will take', async () => {
    const { log, ids } = await begun();
    const read = async (options: ReadOptions) => idsOf(await eventLog.read(log, options));
    expect(await read({ unchecked: true })).toEqual(ids.slice(4));
    expect(await read({ unchecked: true, after: ids[1] })).toEqual(ids.slice(4));
    expect(await read({ unchecked: true, before: ids[2] })).toEqual([]);
    expect(await read({ reverse: true })).toEqual(ids.slice(4).toReversed());
    expect(await read({ reverse: true, before: ids[5], after: ids[0] })).toEqual([ids[4]]);
    expect(await read({ reverse: true, before: ids[2] })).toEqual([]);
  });

  it('is finished by the next one', async () => {
    const { log, ids } = await begun();
    await eventLog.trim(log, ids[3]!);
    expect(await commands.xlen(keysOf(log).stream)).toBe(6);
    expect((await eventLog.read(log, { after: ids[3] })).standing).toEqual({ state: 'whole' });
  });

  it('has changed the log for who trims under a condition', async () => {
    const log = randomLog();
    const ids = await appendMany(eventLog, log, 10);
    const range = { after: ZERO_ID, reverse: false };
    const look = { cursor: ZERO_ID, range, limit: 10, maxBytes: 1_000 };
    const { stamp: condition } = await eventLog.kept.look(log, look);
    await commands.hset(keysOf(log).meta, 'trimmed', ids[3]!);
    for (const through of [ids[2]!, ids[3]!, ids[6]!]) {
      expect(await eventLog.kept.trim(log, through, { condition, fence: 1 })).toBe('changed');
    }
    expect(await commands.xlen(keysOf(log).stream)).toBe(10);
  });

  it('may be of all that a log can ever hold', async () => {
    const log = randomLog();
    const { stream, meta } = keysOf(log);
    await commands.xadd(stream, MAX_ID, 'type', 'T', 'payload', '');
    await commands.hset(meta, 'trimmed', MAX_ID);
    for (const options of [{}, { unchecked: true }, { reverse: true }]) {
      expect((await eventLog.read(log, options)).events).toEqual([]);
    }
  });
});

describe('a trim under a guard that has only begun', () => {
  const guard = { condition: 'what the log was like before', fence: 3 };

  async function begun(): Promise<{ log: LogName; ids: EventId[] }> {
    const log = randomLog();
    const ids = await appendMany(eventLog, log, 10);
    const [trimmed, guarded] = [ids[3]!, ids[3]!];
    await commands.hset(keysOf(log).meta, { trimmed, guarded, fence: guard.fence });
    return { log, ids };
  }

  it('is finished by its repeat, whoever repeats it, and not by who was overtaken', async () => {
    for (const [fence, outcome, left] of [
      [3, 'trimmed', 6],
      [4, 'trimmed', 6],
      [2, 'fenced', 10],
    ] as const) {
      const { log, ids } = await begun();
      expect(await eventLog.kept.trim(log, ids[3]!, { ...guard, fence })).toBe(outcome);
      expect(await commands.xlen(keysOf(log).stream)).toBe(left);
    }
  });

  it('goes no further than its condition has held', async () => {
    const { log, ids } = await begun();
    expect(await eventLog.kept.trim(log, ids[4]!, guard)).toBe('changed');
    expect(await commands.xlen(keysOf(log).stream)).toBe(10);
  });

  it('is left as it is when what is known of it was removed', async () => {
    const { log, ids } = await begun();
    await commands.del(keysOf(log).meta);
    expect(await eventLog.kept.trim(log, ids[3]!, guard)).toBe('changed');
    expect(idsOf(await eventLog.read(log))).toEqual(ids);
  });
});

it('asks Redis once for a page, also where a trim is told', async () => {
  const log = randomLog();
  const ids = await appendMany(eventLog, log, 10);
  await eventLog.trim(log, ids[2]!);
  const calls = async () => {
    const statistics = await commands.info('commandstats');
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(statistics)?.[1] ?? 0);
  };
  for (const options of [{ after: ids[4] }, { after: ids[0] }, { reverse: true }, {}]) {
    const before = await calls();
    await eventLog.read(log, options);
    expect(await calls()).toBe(before + 1);
  }
});
