/** A projection that others took over before, with a row in two; then somebody does something by hand. */

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Projection, project } from '../../../src/projection/project.ts';
import { type Reaction, react } from '../../../src/projection/react.ts';
import { openStore, type Store } from '../../../src/stores/open.ts';
import { eventually } from '../../support/eventually.ts';
import { errorIn } from '../../support/notices.ts';
import { RedisServer } from '../../support/redis-server.ts';
import {
  account,
  type Balance,
  balances,
  QUICK,
  rowsOf,
} from '../../unit/projection/memory-store.ts';
import { copyOf, doByHand, keep } from './deeds.ts';
import { PROJECTION_ROWS, REACTION_ROWS } from './rows.ts';

let server: RedisServer;
let redis: Redis;
let store: Store;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url());
  store = await openStore(server.url());
});

afterAll(async () => {
  await store.close();
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});

async function deposit(id: number, amount: number): Promise<void> {
  await store.log.append(account(id), [{ type: 'Deposited', payload: { amount } }]);
}

function start(problems: string[] = []): Projection<Balance> {
  const projection = project(store, {
    ...{ ...balances, ...QUICK },
    onNotice: (notice) => problems.push(errorIn(notice).message),
  });
  onTestFinished(() => projection.stop());
  return projection;
}

describe('projections, when somebody does by hand', () => {
  // While it runs, and while none does.
  describe.each(['running', 'stopped'])('%s', (when) => {
    test.each(PROJECTION_ROWS)('$key: $deed', async ({ key, deed, then }) => {
      await redis.flushall();
      await deposit(1, 5);
      const first = start();
      await first.caughtUp();
      await first.stop();
      const isLease = key.startsWith('lease:');
      // Its old dump: a lease is not kept by who stops.
      if (isLease) await redis.set('old lease', '1');
      const dump = await redis.dumpBuffer(isLease ? 'old lease' : key);
      for (let round = 0; round < 3; round += 1) {
        const next = start();
        await deposit(1, 1);
        await next.caughtUp();
        if (round < 2) await next.stop();
        else if (when === 'stopped') await next.stop();
      }
      await deposit(2, 7);
      if (when === 'running') {
        await eventually(async () =>
          expect(await redis.hget('read-model:balances@1', 'account:2')).toContain('7'),
        );
      }
      await keep(redis, key);
      await doByHand(redis, deed, key, dump);

      const problems: string[] = [];
      await deposit(1, 10);
      const projection = start(problems);
      const isRight = async () => {
        await projection.caughtUp();
        expect(await rowsOf(projection)).toEqual({
          'account:1': { balance: 18, events: 5 },
          'account:2': { balance: 7, events: 1 },
        });
      };
      if (then === 'says') {
        await eventually(() => expect(projection.status().state).toBe('failed'));
        expect(projection.status().error).toMatchObject({
          code: 'wrong_type',
          message: expect.stringContaining(key),
        });
        expect(problems.some((problem) => problem.includes(key))).toBe(true);
        await redis.del(key);
        if ((await redis.exists(copyOf(key))) === 1) await redis.rename(copyOf(key), key);
        await eventually(async () => {
          const again = start();
          await again.caughtUp();
          expect((await rowsOf(again))['account:1']).toEqual({ balance: 18, events: 5 });
        });
      } else {
        await eventually(isRight);
      }
    });
  });
});

describe('reactions, when somebody does by hand', () => {
  test.each(REACTION_ROWS)('$key: $deed', async ({ key, deed, then }) => {
    await redis.flushall();
    const done: number[] = [];
    const react1 = (): Reaction => {
      const reaction = react(store, {
        ...{ ...QUICK, name: 'search' },
        each: ({ payload }) => void done.push((payload as { amount: number }).amount),
      });
      onTestFinished(() => reaction.stop());
      return reaction;
    };
    await deposit(1, 1);
    const first = react1();
    await first.caughtUp();
    await first.stop();
    const dump = await redis.dumpBuffer(key);
    const second = react1();
    await deposit(1, 2);
    await second.caughtUp();
    await second.stop();
    expect(done).toEqual([1, 2]);
    await keep(redis, key);
    await doByHand(redis, deed, key, dump);
    await deposit(1, 3);
    const third = react1();
    if (then === 'says') {
      await eventually(() => expect(third.status().state).toBe('failed'));
      expect(third.status().error).toMatchObject({
        code: deed === 'SET' ? 'invalid_feed_cursor' : 'progress_lost',
        message: expect.stringContaining(key),
      });
      expect(done).toEqual([1, 2]);
      await redis.rename(copyOf(key), key);
      await react1().caughtUp();
      expect(done).toEqual([1, 2, 3]);
    } else {
      await third.caughtUp();
      // What was done since the dump is done again.
      expect(done).toEqual(key === '{lease:reaction:search}:place' ? [1, 2, 2, 3] : [1, 2, 3]);
    }
  });

  test('one that runs ends, too, when its place is lost', async () => {
    await redis.flushall();
    const done: string[] = [];
    const reaction = react(store, {
      ...{ ...QUICK, name: 'search' },
      each: ({ id }) => void done.push(id),
    });
    onTestFinished(() => reaction.stop());
    await deposit(1, 1);
    await reaction.caughtUp();
    await redis.del('{lease:reaction:search}:place');
    await deposit(1, 2);
    await eventually(() => expect(reaction.status().error?.code).toBe('progress_lost'));
    expect(done.length).toBeLessThanOrEqual(2);
  });
});
