/** What is kept in the browser's database survives tabs, reloads and the browser itself; tabs share one connection. */
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { ClientPage } from './support/client-page.ts';
import { World } from './support/world.ts';

const LOG = 'room:1';
const KEPT = { account: 'han', log: LOG, isKept: true };

/** The one that has the connection. */
async function leaderOf(pages: readonly ClientPage[]): Promise<ClientPage> {
  return eventually(async () => {
    const reports = await Promise.all(pages.map((page) => page.report()));
    const leaders = pages.filter((_, index) => reports[index]!.state.over === 'websocket');
    if (leaders.length === 1) return leaders[0]!;
    throw new Error(`${leaders.length} tabs lead`);
  });
}

test('a page is reloaded in the middle of an append', { timeout: 120_000 }, async () => {
  await using world = await World.start();
  await using here = await world.place();
  const han = await here.open(KEPT);
  await han.live();
  const said: string[] = [];
  for (let round = 0; round < 10; round += 1) {
    // Some are reloaded before the gateway can have answered, some after it may have.
    const texts = [`${round}a`, `${round}b`];
    const loaded = han.tab.page.waitForEvent('load');
    const run = han.tab.page.evaluate(async (texts) => {
      const { device } = globalThis as unknown as { device: import('./page/page.ts').PageDevice };
      await Promise.all(texts.map((text) => device.append(text)));
      if (Math.random() < 0.5) await new Promise((resolve) => setTimeout(resolve, 5));
      location.reload();
    }, texts);
    // Its end may be lost with the page; what was not kept is not seen below.
    await run.catch(() => {});
    said.push(...texts);
    await loaded;
    await han.reopen(KEPT);
    await han.saw(said);
  }
  expect(await world.texts(LOG)).toEqual(said);
  await han.until('nothing waits', ({ pending }) => pending === 0);
});

test('what was said offline survives the end of the browser', { timeout: 90_000 }, async () => {
  await using world = await World.start();
  await using here = await world.place();
  const han = await here.open(KEPT);
  await han.append('online');
  await han.saw(['online']);
  await here.device.setOffline(true);
  for (const text of ['first', 'second', 'third']) await han.append(text);
  await here.device.kill();
  expect(await world.texts(LOG)).toEqual(['online']);

  await here.device.start();
  const again = await here.open(KEPT);
  await again.saw(['online', 'first', 'second', 'third']);
  expect(await world.texts(LOG)).toEqual(['online', 'first', 'second', 'third']);
  await again.until('nothing waits', ({ pending }) => pending === 0);
});

test('five tabs have one connection, and the tab that has it crashes', {
  timeout: 120_000,
}, async () => {
  await using world = await World.start();
  await using here = await world.place();
  const pages: ClientPage[] = [];
  for (let count = 0; count < 5; count += 1) pages.push(await here.open(KEPT));
  await Promise.all(pages.map((page) => page.live()));
  await eventually(() => here.front.sockets === 1);

  await world.append(LOG, 'for all');
  await Promise.all(pages.map((page) => page.saw(['for all'])));
  const said = ['for all'];
  for (const [index, page] of pages.entries()) {
    await page.append(`from tab ${index}`);
    said.push(`from tab ${index}`);
    await Promise.all(pages.map((each) => each.saw(said)));
  }
  expect(here.front.sockets).toBe(1);

  const leader = await leaderOf(pages);
  const others = pages.filter((page) => page !== leader);
  await others[0]!.append('right before');
  await leader.tab.crash();
  await world.append(LOG, 'while nobody leads');
  await others[1]!.append('right after');
  const all = await eventually(async () => {
    const texts = await world.texts(LOG);
    if (texts.length === said.length + 3) return texts;
    throw new Error(`the log has ${texts.join(', ')}`);
  });
  expect(all.slice(0, said.length)).toEqual(said);
  expect([...all.slice(said.length)].sort()).toEqual([
    'right after',
    'right before',
    'while nobody leads',
  ]);
  await Promise.all(others.map((page) => page.saw(all)));
  await Promise.all(others.map((page) => page.live()));
  await eventually(() => here.front.sockets === 1);
  await leaderOf(others);
});

test('a page opens with what it had, before the network answers', async () => {
  await using world = await World.start();
  await using here = await world.place();
  const han = await here.open(KEPT);
  await han.append('kept');
  await han.saw(['kept']);
  await han.close();
  await world.gateway.kill();
  await han.tab.page.reload();
  await han.reopen(KEPT);
  const { state } = await han.saw(['kept']);
  expect(state.status).not.toBe('live');
});
