/** What is done to a running system, one blow after the other, in an order that chance decides. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayProcess } from '../support/gateway-process.ts';
import type { RedisServer } from '../support/redis-server.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { appendOnlyFile, cutAfterTransaction } from './append-only-file.ts';
import type { Cast } from './cast.ts';

export interface Blow {
  /** How often it comes in a run. */
  readonly times: number;
  readonly strike: () => Promise<void> | void;
}

/** Strikes every blow as often as it wants, with pauses of 0.2 to 1.2 seconds between. */
export async function strikeAll(blows: readonly Blow[], random: SeededRandom): Promise<void> {
  const all = blows.flatMap(({ times, strike }) => Array.from({ length: times }, () => strike));
  for (const strike of random.shuffled(all)) {
    await sleep(random.between(200, 1_200));
    await strike();
  }
}

export function killGateway(times: number, gateway: GatewayProcess, random: SeededRandom): Blow {
  return {
    times,
    async strike() {
      await gateway.kill();
      await sleep(random.between(0, 300));
      await gateway.start();
    },
  };
}

export function killRedis(times: number, redis: RedisServer, random: SeededRandom): Blow {
  return {
    times,
    async strike() {
      await redis.kill();
      await sleep(random.between(0, 1_000));
      await redis.start();
    },
  };
}

export function killBoth(times: number, gateway: GatewayProcess, redis: RedisServer): Blow {
  return {
    times,
    async strike() {
      await Promise.all([gateway.kill(), redis.kill()]);
      await redis.start();
      await gateway.start();
    },
  };
}

/** Kills Redis and cuts up to 50 KB off the end of its append-only file. */
export function loseTailOf(times: number, redis: RedisServer, random: SeededRandom): Blow {
  return {
    times,
    async strike() {
      await redis.kill();
      const { size } = appendOnlyFile(redis.folder);
      cutAfterTransaction(redis.folder, size - random.between(1, 50_000));
      await redis.start();
    },
  };
}

/** Cuts the connections of one to six readers. */
export function cutReaders(times: number, cast: Cast, random: SeededRandom): Blow {
  return {
    times,
    strike() {
      const some = random.shuffled(cast.readers).slice(0, random.between(1, 6));
      for (const reader of some) reader.cut();
    },
  };
}

/** One reader stops reading from its socket, and goes on while the other blows fall. */
export function stallReader(times: number, cast: Cast, random: SeededRandom): Blow {
  return {
    times,
    strike() {
      const reader = random.pick(cast.readers);
      reader.stall();
      setTimeout(() => reader.readAgain(), random.between(1_000, 4_000));
    },
  };
}
