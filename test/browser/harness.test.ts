/** The tools of the browser tests do what they say, seen by a page that knows nothing of Millrace. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../e2e/command.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { Device, type Tab } from './support/device.ts';
import { Front } from './support/front.ts';
import { pageFiles } from './support/page-bundle.ts';

let gateway: GatewayProcess;
let device: Device;
let front: Front;
const folder = temporaryFolder();

beforeAll(async () => {
  [gateway, device] = await Promise.all([
    GatewayProcess.start({ store: folder.path }),
    Device.start(),
  ]);
  front = await Front.start(gateway.port, await pageFiles());
});
afterAll(async () => {
  await Promise.all([front[Symbol.asyncDispose](), device[Symbol.asyncDispose]()]);
  await gateway.kill();
  folder[Symbol.dispose]();
});

/** Opens a socket in the page, and counts its messages and the ticks of a timer. */
async function withSocket(): Promise<Tab> {
  const tab = await device.open(`${front.origin}/page`);
  await tab.page.evaluate(() => {
    const seen = { messages: 0, ticks: 0, closed: 0, opened: 0 };
    const socket = new WebSocket(`ws://${location.host}/ws/1`, 'millrace.json.v1');
    socket.onopen = () => {
      seen.opened += 1;
    };
    socket.onmessage = () => {
      seen.messages += 1;
    };
    socket.onclose = () => {
      seen.closed += 1;
    };
    setInterval(() => {
      seen.ticks += 1;
    }, 10);
    Object.assign(globalThis, { seen, socket });
  });
  return tab;
}

function seen(tab: Tab, name: 'messages' | 'ticks' | 'closed' | 'opened'): Promise<number> {
  return tab.page.evaluate(
    (name) => (globalThis as unknown as { seen: Record<string, number> }).seen[name]!,
    name,
  );
}

function ping(tab: Tab): Promise<void> {
  return tab.page.evaluate(() => {
    (globalThis as unknown as { socket: WebSocket }).socket.send('{"op":"ping"}');
  });
}

test('a page reaches the gateway by socket and by HTTP', async () => {
  const opened = front.socketsOpened;
  const tab = await withSocket();
  await eventually(async () => (await seen(tab, 'messages')) > 0);
  expect(front.socketsOpened - opened).toBe(1);
  expect(await tab.page.evaluate(() => fetch('/').then((answer) => answer.text()))).toBe('Healthy');
  const sockets = front.sockets;
  await tab.page.close();
  await eventually(() => front.sockets === sockets - 1);
});

test('a front without upgrades', async () => {
  front.refusesUpgrades = true;
  try {
    const tab = await withSocket();
    await eventually(async () => (await seen(tab, 'closed')) === 1);
    expect(await seen(tab, 'opened')).toBe(0);
    await tab.page.close();
  } finally {
    front.refusesUpgrades = false;
  }
});

test('offline, nothing comes and nothing is closed', async () => {
  const tab = await withSocket();
  await eventually(async () => (await seen(tab, 'messages')) > 0);
  const before = await seen(tab, 'messages');
  await device.setOffline(true);
  expect(await tab.page.evaluate(() => navigator.onLine)).toBe(false);
  await ping(tab);
  const ticks = await seen(tab, 'ticks');
  await eventually(async () => (await seen(tab, 'ticks')) > ticks + 20);
  expect(await seen(tab, 'messages')).toBe(before);
  await device.setOffline(false);
  await eventually(async () => (await seen(tab, 'messages')) === before + 1);
  expect(await seen(tab, 'closed')).toBe(0);
  await tab.page.close();
});

test('a tab that is frozen does nothing until it wakes', async () => {
  const tab = await withSocket();
  const other = await withSocket();
  await tab.freeze();
  const ticks = await seen(tab, 'ticks');
  const others = await seen(other, 'ticks');
  await eventually(async () => (await seen(other, 'ticks')) > others + 50);
  expect(await seen(tab, 'ticks')).toBe(ticks);
  await tab.wake();
  await eventually(async () => (await seen(tab, 'ticks')) > ticks);
  await Promise.all([tab.page.close(), other.page.close()]);
});

test('a tab that crashes takes its socket along, and no other tab', async () => {
  const tab = await withSocket();
  const other = await withSocket();
  await eventually(() => front.sockets === 2);
  await tab.crash();
  await eventually(() => front.sockets === 1);
  expect(await other.page.evaluate(() => document.title)).toBe('Millrace');
  await Promise.all([tab.page.close(), other.page.close()]);
});

test('a browser that is killed comes back with what it has kept', async () => {
  await using other = await Device.start();
  const tab = await other.open(`${front.origin}/page`);
  await tab.page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('kept', 1);
        opening.onupgradeneeded = () => opening.result.createObjectStore('things');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const change = opening.result.transaction('things', 'readwrite', {
            durability: 'strict',
          });
          change.objectStore('things').put('here', 'thing');
          change.oncomplete = () => resolve();
        };
      }),
  );
  await other.kill();
  await other.start();
  const again = await other.open(`${front.origin}/page`);
  const databases = await again.page.evaluate(() => indexedDB.databases());
  expect(databases).toEqual([{ name: 'kept', version: 1 }]);
});
