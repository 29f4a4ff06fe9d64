/** A log with a connected reader, a producer and a trimmed part; then somebody does something by hand. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Appended } from '../../../src/event/appended.ts';
import { type EventId, ZERO_ID } from '../../../src/event/event-id.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import { createLive } from '../../../src/live/create-live.ts';
import { subscribe } from '../../../src/live/subscribe.ts';
import { RedisLog } from '../../../src/stores/redis/log/redis-log.ts';
import { event } from '../../../src/testing/contract/log/say.ts';
import { eventually } from '../../support/eventually.ts';
import { randomLog } from '../../support/names.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { copyOf, doByHand, keep } from './deeds.ts';
import { type Deed, LOG_ROWS } from './rows.ts';

let server: RedisServer;
let redis: Redis;
let eventLog: RedisLog;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url());
  eventLog = await RedisLog.open(server.url(), { sweepInterval: 50 });
});

afterAll(async () => {
  await eventLog.close();
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});

interface Scene {
  readonly log: LogName;
  readonly own: string;
  readonly ids: readonly EventId[];
  readonly produce: (seq: number) => Promise<Appended>;
  /** What a connected reader, who had seen all that there was, is told then. */
  readonly told: string[];
}

/** Six events by a producer, the first two of them trimmed; old dumps are of the time after four. */
async function scene(key: string, deed: Deed): Promise<Scene> {
  const log = randomLog();
  const own = key.replace('account:1', log);
  const produce = (seq: number) =>
    eventLog.append(log, [event(String(seq))], { producer: { id: 'p', epoch: 0, seq } });
  const ids: EventId[] = [];
  const appendTo = async (count: number) => {
    while (ids.length < count) ids.push((await produce(ids.length)).version);
  };
  await appendTo(4);
  await eventLog.trim(log, ids[0]!);
  const dump = await redis.dumpBuffer(own);
  await appendTo(6);
  await eventLog.trim(log, ids[1]!);

  const live = createLive({ log: eventLog });
  onTestFinished(() => live.close());
  const told: string[] = [];
  const loop = async () => {
    for await (const delivery of subscribe(live, log, { after: ids[1]! })) {
      told.push(delivery.kind === 'event' ? String(delivery.event.payload) : delivery.kind);
    }
  };
  void loop().catch((error: { code?: string }) => told.push(String(error.code)));
  await eventually(() => expect(told).toEqual(['2', '3', '4', '5', 'live']));
  told.length = 0;
  await keep(redis, own);
  await doByHand(redis, deed, own, dump);
  return { log, own, ids, produce, told };
}

const expectations: Record<string, Partial<Record<Deed | 'gone', (it: Scene) => Promise<void>>>> = {
  'account:1:log': {
    async gone({ log, ids, told }) {
      expect(await eventLog.read(log, { after: ids[5]! })).toMatchObject({
        standing: { state: 'reset' },
      });
      await eventually(() => expect(told).toContain('reset'));
      await eventLog.append(log, [event('new')]);
      await eventually(() => expect(told).toContain('new'));
    },
    async XDEL({ log, ids, told }) {
      await eventLog.append(log, [event('new')]);
      await eventually(() => expect(told).toEqual(['new']));
      const page = await eventLog.read(log, { after: ids[3]! });
      expect(page).toMatchObject({ standing: { state: 'whole' }, events: [{ payload: 'new' }] });
    },
    async XTRIM({ log, ids, told }) {
      expect(await eventLog.read(log, { after: ids[3]! })).toMatchObject({
        standing: { state: 'trimmed' },
      });
      await eventLog.append(log, [event('new')]);
      await eventually(() => expect(told).toEqual(['new']));
    },
    async XSETID({ log }) {
      await expect(eventLog.append(log, [event('new')])).rejects.toMatchObject({
        code: 'log_full',
      });
      expect((await eventLog.read(log)).events).toHaveLength(4);
    },
    async SET({ log, own, told }) {
      const wrong = { code: 'wrong_type', message: expect.stringContaining(own) };
      await expect(eventLog.read(log)).rejects.toMatchObject(wrong);
      await expect(eventLog.append(log, [event('new')])).rejects.toMatchObject(wrong);
      await eventually(() => expect(told).toEqual(['wrong_type']));
      await redis.rename(copyOf(own), own);
      expect((await eventLog.read(log)).events).toHaveLength(4);
    },
  },
  '{account:1:log}:producers': {
    async gone({ log, produce, told }) {
      const expectedSeq = told.length;
      await expect(produce(6)).rejects.toMatchObject({ code: 'producer_gap' });
      expect(expectedSeq).toBe(0);
      // Whoever reads what is there, and goes on in another epoch, misses nothing and repeats nothing.
      const { events } = await eventLog.read(log);
      expect(events.map(({ payload }) => payload)).toEqual(['2', '3', '4', '5']);
      await eventLog.append(log, [event('6')], { producer: { id: 'p', epoch: 1, seq: 0 } });
      await eventually(() => expect(told).toEqual(['6']));
    },
    async SET({ log, own, produce }) {
      await expect(produce(6)).rejects.toMatchObject({
        code: 'wrong_type',
        message: expect.stringContaining(own),
      });
      await eventLog.append(log, [event('of nobody')]);
      await redis.rename(copyOf(own), own);
      expect(await produce(6)).toMatchObject({ duplicate: false });
      expect(await produce(6)).toMatchObject({ duplicate: true });
    },
  },
  '{account:1:log}:meta': {
    async gone({ log, ids, told }) {
      // Below what was trimmed, also by us, a reader is told; above it, nobody is.
      for (const after of [ZERO_ID, ids[0]!]) {
        expect(await eventLog.read(log, { after })).toMatchObject({
          standing: { state: 'trimmed' },
          events: [{ payload: '2' }, { payload: '3' }, { payload: '4' }, { payload: '5' }],
        });
      }
      for (const after of ids.slice(2)) {
        expect(await eventLog.read(log, { after })).toMatchObject({ standing: { state: 'whole' } });
      }
      await eventLog.trim(log, ids[3]!);
      expect(await eventLog.read(log, { after: ids[2]! })).toMatchObject({
        standing: { state: 'trimmed' },
      });
      await eventLog.append(log, [event('new')]);
      await eventually(() => expect(told).toEqual(['new']));
    },
    async SET({ log, own }) {
      const wrong = {
        code: 'wrong_type',
        message: expect.stringContaining(`${own} holds a string`),
      };
      await expect(eventLog.read(log)).rejects.toMatchObject(wrong);
      await expect(eventLog.trim(log, ZERO_ID)).rejects.toMatchObject(wrong);
      await redis.del(own);
      expect((await eventLog.read(log)).events).toHaveLength(4);
    },
  },
};

describe('logs, when somebody does by hand', () => {
  test.each(LOG_ROWS)('$key: $deed', async ({ key, deed }) => {
    const expected = expectations[key]![deed] ?? expectations[key]!.gone;
    await expected!(await scene(key, deed));
  });
});
