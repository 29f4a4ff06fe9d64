import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';
import { RedisServer } from '../support/redis-server.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { cutReaders, killBoth, killGateway, killRedis, stallReader, strikeAll } from './blows.ts';
import { Cast } from './cast.ts';
import { redisContents } from './contents.ts';

it('loses, doubles and swaps nothing while gateway, Redis and connections die', async () => {
  const random = SeededRandom.fromEnvironment();
  await using redis = await RedisServer.start({ appendonly: 'yes', appendfsync: 'always' });
  // Without sweeps, which would cover up a wake-up that is never made up for.
  const flags = ['--sweep', '0'];
  await using gateway = await GatewayProcess.start({ store: redis.url(), flags });
  const cast = new Cast({ logs: 5, writers: 20, readers: 20 }, gateway.webSocket(''), random);
  cast.start();
  try {
    const blows = [
      killGateway(3, gateway, random),
      killRedis(3, redis, random),
      killBoth(1, gateway, redis),
      cutReaders(9, cast, random),
      stallReader(3, cast, random),
    ];
    await strikeAll(blows, random);
    await sleep(500);
    const histories = await cast.settle((log) => redisContents(redis.url(), log));
    expect(cast.problems(histories), `seed ${random.seed}`).toEqual([]);
    // The run has to have been one.
    expect(cast.count('acknowledged'), `seed ${random.seed}`).toBeGreaterThan(500);
    for (const reader of cast.readers) expect(reader.count('connected')).toBeGreaterThan(1);
  } finally {
    cast.stop();
  }
}, 120_000);
