/**
 * Clients that come in numbers, against a gateway that is a process of its own: it stays
 * responsive, and its memory bounded.
 */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { ownMemory } from '../support/own-memory.ts';
import { clientFrame, RawClient, UPGRADE_HEADERS } from './raw-client.ts';

const MEBIBYTE = 1_048_576;
const FLOOD = 10_000;
const AT_ONCE = 250;
const HALF_OPEN = 1_000;

let folder: string;
let gateway: GatewayProcess;
const clients: RawClient[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-floods-'));
  const flags = ['--header-timeout', '4s', '--max-half-open', String(HALF_OPEN)];
  gateway = await GatewayProcess.start({ store: folder, flags });
}, 60_000);

afterAll(async () => {
  await gateway.kill();
  rmSync(folder, { recursive: true, force: true });
});

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

function connect(): RawClient {
  const client = new RawClient(gateway.port);
  clients.push(client);
  return client;
}

/** In bytes. */
async function memory(): Promise<number> {
  return ownMemory(gateway.pid);
}

function openFiles(): number {
  return readdirSync(`/proc/${gateway.pid}/fd`).length;
}

/** Asks as a client that means well, from an address of its own; answers how long it took, in milliseconds. */
async function served(): Promise<number> {
  const began = performance.now();
  const socket = new WebSocket(gateway.webSocket('/ws/9'), { localAddress: '127.0.0.2' });
  try {
    await once(socket, 'open');
    socket.send('ping');
    const [answer] = await once(socket, 'message');
    expect(String(answer)).toBe('pong');
  } finally {
    socket.terminate();
  }
  return performance.now() - began;
}

async function flood(count: number, each: (index: number) => Promise<unknown>): Promise<void> {
  for (let first = 0; first < count; first += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, index) => index);
    await Promise.all(batch.map((index) => each(first + index)));
  }
}

test('10,000 half-open upgrades', async () => {
  await served();
  const before = await memory();
  const began = [
    '',
    'G',
    'GET /ws/1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n',
    `GET /ws/1 HTTP/1.1\r\n${UPGRADE_HEADERS.join('\r\n')}\r\nX: ${'x'.repeat(4_000)}`,
  ];
  let mostFiles = 0;
  let mostMemory = 0;
  let slowest = 0;
  await flood(FLOOD, async (index) => {
    const client = await connect().connected();
    client.write(began[index % began.length]!);
    if (index % 1_000 !== 999) return;
    slowest = Math.max(slowest, await served());
    mostFiles = Math.max(mostFiles, openFiles());
    mostMemory = Math.max(mostMemory, await memory());
  });
  console.log({ slowest, mostFiles, grown: mostMemory - before });
  // Beside the half-open ones: those that were accepted in this turn, the good ones, and files.
  expect(mostFiles).toBeLessThan(HALF_OPEN + 2 * AT_ONCE + 100);
  expect(mostMemory - before).toBeLessThan(96 * MEBIBYTE);
  // Generous: a promise on a shared machine, not a benchmark.
  expect(slowest).toBeLessThan(5_000);
  // Those that were left run out of time, also those that never sent a byte.
  await eventually(() => openFiles() < 100, { timeout: 20_000, interval: 100 });
  await served();
}, 120_000);

test('10,000 upgrades that are made and never read', async () => {
  const before = await memory();
  let mostFiles = 0;
  let slowest = 0;
  await flood(FLOOD, async (index) => {
    const client = await connect().connected();
    client.socket.pause();
    client.head(`GET /ws/${index} HTTP/1.1`, UPGRADE_HEADERS);
    if (index % 1_000 !== 999) return;
    slowest = Math.max(slowest, await served());
    mostFiles = Math.max(mostFiles, openFiles());
  });
  console.log({ slowest, mostFiles, grown: (await memory()) - before });
  // An address may have 1,000 sockets, and as many connections again for what is no socket.
  expect(mostFiles).toBeLessThan(2 * 1_000 + 2 * AT_ONCE + 100);
  expect((await memory()) - before).toBeLessThan(96 * MEBIBYTE);
  expect(slowest).toBeLessThan(5_000);
}, 120_000);

test.each([
  ['protocol pings', clientFrame(9, Buffer.alloc(125, 'p'))],
  [
    'pings of the JSON protocol',
    clientFrame(1, Buffer.from(`{"op":"ping","ref":"${'r'.repeat(80)}"}`)),
  ],
  ['operations that are none', clientFrame(1, Buffer.from('{"op":"dance"}'))],
  ['subscriptions that fail', clientFrame(1, Buffer.from('{"op":"subscribe","log":"account:1"}'))],
])(
  'a flood of %s from a client that never reads',
  async (_what, frame) => {
    await served();
    const before = await memory();
    const attackers = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const client = await connect().connected();
        client.head('GET /ws/1?format=json HTTP/1.1', UPGRADE_HEADERS);
        await eventually(() => client.status === 101);
        client.socket.pause();
        return client;
      }),
    );
    const bytes = Buffer.concat(Array.from({ length: 500 }, () => frame));
    let most = 0;
    let slowest = 0;
    // Each sends as long as its own buffer is not full: when the gateway stops reading, it stops.
    for (let round = 0; round < 400; round += 1) {
      for (const { socket } of attackers) {
        if (socket.writableLength < MEBIBYTE) socket.write(bytes);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (round % 100 === 99) {
        slowest = Math.max(slowest, await served());
        most = Math.max(most, await memory());
      }
    }
    console.log({ slowest, grown: most - before });
    expect(most - before).toBeLessThan(64 * MEBIBYTE);
    expect(slowest).toBeLessThan(5_000);
  },
  60_000,
);
