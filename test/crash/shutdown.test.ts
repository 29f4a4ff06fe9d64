import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { RedisServer } from '../support/redis-server.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { Cast, type Contents } from './cast.ts';
import { httpContents, redisContents } from './contents.ts';

describe('SIGTERM under load ends the gateway with 0, sockets with 1001, and loses nothing', () => {
  it('on Redis', async () => {
    await using redis = await RedisServer.start({ appendonly: 'yes', appendfsync: 'always' });
    await using gateway = await GatewayProcess.start({ store: redis.url() });
    await shutDown(gateway, (log) => redisContents(redis.url(), log));
  }, 60_000);

  it('on the embedded store', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-shutdown-'));
    try {
      await using gateway = await GatewayProcess.start({ store: folder });
      await shutDown(gateway, (log) => httpContents(gateway.http(), log));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

async function shutDown(gateway: GatewayProcess, contents: Contents): Promise<void> {
  const random = SeededRandom.fromEnvironment();
  const cast = new Cast({ logs: 4, writers: 16, readers: 8 }, gateway.webSocket(''), random);
  cast.start();
  try {
    await eventually(() => cast.count('acknowledged') > 300, { timeout: 20_000 });
    // One of them reads nothing, and must not hold up the end.
    cast.readers[0]!.stall();
    const began = performance.now();
    const ending = await gateway.terminate();
    expect(ending, gateway.output).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(10_000);
    cast.readers[0]!.readAgain();
    await eventually(() => {
      for (const { name, closeCodes } of cast.readers) expect(closeCodes[0], name).toBe(1001);
    });

    // They all come back to the next one, and find everything.
    await gateway.start();
    const histories = await cast.settle(contents);
    expect(cast.problems(histories), `seed ${random.seed}`).toEqual([]);
  } finally {
    cast.stop();
  }
}
