/** What the network does to pages, and that nobody notices: nothing is missing, nothing is twice. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../e2e/command.ts';
import { eventually } from '../support/eventually.ts';
import { World } from './support/world.ts';

const LOG = 'room:1';

/** From `first` on, `count` of them. */
function numbered(prefix: string, count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${first + index}`);
}

async function lasts(milliseconds: number): Promise<void> {
  const over = performance.now() + milliseconds;
  await eventually(() => performance.now() >= over, { timeout: milliseconds + 1_000 });
}

test('two browsers exchange events live', async () => {
  await using world = await World.start();
  await using here = await world.place();
  await using there = await world.place();
  const [han, leia] = await Promise.all([
    here.open({ account: 'han', log: LOG }),
    there.open({ account: 'leia', log: LOG }),
  ]);
  await Promise.all([han.live(), leia.live()]);
  const said: string[] = [];
  for (const text of numbered('', 20)) {
    const [speaker, listener] = said.length % 2 === 0 ? [han, leia] : [leia, han];
    await speaker.append(text);
    said.push(text);
    await Promise.all([listener.saw(said), speaker.saw(said)]);
  }
  expect(await world.texts(LOG)).toEqual(said);
  expect((await han.report()).settled).toEqual(said.filter((_, index) => index % 2 === 0));
});

test('ten seconds offline, with three appends that wait', { timeout: 90_000 }, async () => {
  await using world = await World.start();
  await using here = await world.place();
  await using there = await world.place();
  const [han, leia] = await Promise.all([
    here.open({ account: 'han', log: LOG }),
    there.open({ account: 'leia', log: LOG }),
  ]);
  await han.append('before');
  await Promise.all([han.saw(['before']), leia.saw(['before'])]);

  await here.device.setOffline(true);
  for (const text of ['first', 'second', 'third']) await han.append(text);
  await leia.append('meanwhile');
  await leia.saw(['before', 'meanwhile']);
  await lasts(10_000);
  const { seen, pending } = await han.report();
  expect({ seen, pending }).toEqual({ seen: ['before'], pending: 3 });

  await here.device.setOffline(false);
  const all = ['before', 'meanwhile', 'first', 'second', 'third'];
  await Promise.all([han.saw(all, 5_000), leia.saw(all, 5_000)]);
  const { settled } = await han.until('all is settled', (report) => report.pending === 0);
  expect(settled).toEqual(['before', 'first', 'second', 'third']);
  expect(await world.texts(LOG)).toEqual(all);
});

test('the gateway is killed with -9 under load', { timeout: 120_000 }, async () => {
  await using world = await World.start();
  await using here = await world.place();
  await using there = await world.place();
  const pages = await Promise.all([
    here.open({ account: 'han', log: LOG }),
    here.open({ account: 'luke', log: LOG }),
    there.open({ account: 'leia', log: LOG }),
  ]);
  const prefixes = ['han', 'luke', 'leia'];
  await Promise.all(pages.map((page, index) => page.keepAppending(prefixes[index]!)));
  const more = async () => {
    const before = await Promise.all(pages.map(async (page) => (await page.report()).settled));
    for (const [index, page] of pages.entries()) {
      const enough = before[index]!.length + 10;
      await page.until('more is settled', ({ settled }) => settled.length >= enough);
    }
  };
  for (let kills = 0; kills < 3; kills += 1) {
    await more();
    await world.gateway.kill();
    await world.gateway.start();
  }
  await more();
  // Whoever reads now has all that was settled before.
  const settled = await Promise.all(pages.map(async (page) => (await page.report()).settled));
  const log = await world.texts(LOG);
  expect(new Set(log).size).toBe(log.length);
  for (const [index, prefix] of prefixes.entries()) {
    const own = log.filter((text) => text.startsWith(prefix));
    expect(own).toEqual(numbered(prefix, own.length));
    expect(own.slice(0, settled[index]!.length)).toEqual(settled[index]);
  }
  // Every page sees the log as it is.
  await Promise.all(
    pages.map((page) =>
      page.until(
        'it has seen what was there',
        ({ seen }) => JSON.stringify(seen.slice(0, log.length)) === JSON.stringify(log),
      ),
    ),
  );
});

test('the laptop sleeps, and its socket dies meanwhile', async () => {
  await using world = await World.start();
  await using here = await world.place();
  const han = await here.open({ account: 'han', log: LOG });
  await han.append('before');
  await han.saw(['before']);
  await han.tab.freeze();
  await world.append(LOG, 'asleep');
  here.front.cut();
  await world.append(LOG, 'still asleep');
  await han.tab.wake();
  await han.saw(['before', 'asleep', 'still asleep'], 5_000);
  await han.append('awake');
  await han.saw(['before', 'asleep', 'still asleep', 'awake'], 5_000);
  await han.live();
});

test('the laptop sleeps, and nobody told it that its socket is gone', {
  timeout: 90_000,
}, async () => {
  await using world = await World.start();
  await using here = await world.place();
  const han = await here.open({ account: 'han', log: LOG });
  await han.append('before');
  await han.saw(['before']);
  await han.tab.freeze();
  here.front.forget();
  await world.append(LOG, 'asleep');
  await han.tab.wake();
  // A ping that is not answered: 10 seconds, and not the minutes that TCP takes.
  await han.saw(['before', 'asleep'], 20_000);
  await han.live();
});

test('a proxy refuses WebSockets, and does not any more', async () => {
  await using world = await World.start();
  await using here = await world.place();
  here.front.refusesUpgrades = true;
  await here.device.context.clock.install();
  const han = await here.open({ account: 'han', log: LOG });
  const { state } = await han.live();
  expect(state.over).toBe('http');
  expect(here.front.socketsOpened).toBe(0);
  await han.append('by HTTP');
  // It is on its way only: what somebody else appends could be first.
  await han.saw(['by HTTP']);
  await world.append(LOG, 'by stream');
  await han.saw(['by HTTP', 'by stream']);

  here.front.refusesUpgrades = false;
  const said = ['by HTTP', 'by stream'];
  // It tries a socket again within two minutes. A stream that said nothing for so long would be given up.
  for (let half = 1; half <= 4; half += 1) {
    await han.tab.page.clock.fastForward(30_000);
    await world.append(LOG, `half minute ${half}`);
    said.push(`half minute ${half}`);
    await han.saw(said);
  }
  await han.until('over a socket', (report) => report.state.over === 'websocket');
  await han.append('by socket');
  await han.saw([...said, 'by socket']);
  expect(await world.texts(LOG)).toEqual([...said, 'by socket']);
});

test('a token expires on a live socket, and nothing reconnects', { timeout: 120_000 }, async () => {
  const secret = 'a secret of the browser tests, 32 bytes';
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'secret'), secret);
  const flags = ['--auth', 'jwt', '--jwt-secret-file', join(folder.path, 'secret')];
  await using world = await World.start([...flags, '--jwt-tolerance', '0']);
  await using here = await world.place();
  const until: number[] = [];
  const freshToken = () => {
    until.push(Date.now() + 20_000);
    return new SignJWT({ sub: 'han', exp: Math.floor(until.at(-1)! / 1_000) })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
  };
  const han = await here.open({ account: 'han', hasToken: true }, freshToken);
  await han.append('at first');
  await han.saw(['at first']);
  await eventually(() => Date.now() > until[0]! + 2_000, { timeout: 30_000, interval: 100 });
  await han.append('later');
  await han.saw(['at first', 'later']);
  expect(until.length).toBeGreaterThan(1);
  expect(here.front.socketsOpened).toBe(1);
  const { statuses } = await han.report();
  expect(statuses.slice(statuses.indexOf('live')).filter((status) => status !== 'live')).toEqual(
    [],
  );
});
