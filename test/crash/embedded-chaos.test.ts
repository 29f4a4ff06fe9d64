import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { cutReaders, killGateway, stallReader, strikeAll } from './blows.ts';
import { Cast } from './cast.ts';
import { httpContents } from './contents.ts';

it('loses, doubles and swaps nothing on the embedded store while gateway and connections die', async () => {
  const random = SeededRandom.fromEnvironment();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
  await using gateway = await GatewayProcess.start({ store: folder });
  const cast = new Cast({ logs: 5, writers: 20, readers: 20 }, gateway.webSocket(''), random);
  cast.start();
  try {
    const blows = [
      killGateway(4, gateway, random),
      cutReaders(7, cast, random),
      stallReader(3, cast, random),
    ];
    await strikeAll(blows, random);
    await sleep(500);
    const histories = await cast.settle((log) => httpContents(gateway.http(), log));
    expect(cast.problems(histories), `seed ${random.seed}`).toEqual([]);
    // The run has to have been one.
    expect(cast.count('acknowledged'), `seed ${random.seed}`).toBeGreaterThan(500);
    for (const reader of cast.readers) expect(reader.count('connected')).toBeGreaterThan(1);
    const ids = histories.map(({ events }) => events.map(({ id }) => id));
    // And it is all on the disk, not only in the memory of the last process.
    await gateway.kill();
    await gateway.start();
    const after = await Promise.all(cast.logs.map((log) => httpContents(gateway.http(), log)));
    expect(after.map((events) => events.map(({ id }) => id))).toEqual(ids);
  } finally {
    cast.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
