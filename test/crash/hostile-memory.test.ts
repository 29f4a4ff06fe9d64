/**
 * What clients that never read can make a gateway hold: each case against a process of its own, with
 * events of the character that is one byte in the store and six on the wire. The bounds are those of
 * `docs/operations.md`, "Memory of a gateway": a table of what is held by whom, here in the same numbers.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clientFrame, RawClient, UPGRADE_HEADERS } from '../e2e/raw-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { mostGrownBy } from '../support/own-memory.ts';
import { RedisServer } from '../support/redis-server.ts';

const MEBIBYTE = 1_048_576;

/** In MiB. */
const SHARED = 160;
const PER_SOCKET = 0.5;
const PER_CONNECTION = 8;
const PAGES = 128;
const BODIES = 64;
const TIMES_PARSED = 4;

const LOGS = 20;

class Attack {
  readonly gateway: GatewayProcess;
  readonly clients: RawClient[] = [];

  constructor(gateway: GatewayProcess) {
    this.gateway = gateway;
  }

  /** A connection from which nothing is read. */
  async connect(address?: string): Promise<RawClient> {
    const client = new RawClient(this.gateway.port, address);
    this.clients.push(client);
    await client.connected();
    client.socket.pause();
    return client;
  }

  async socket(path: string, address?: string): Promise<RawClient> {
    return (await this.connect(address)).head(`GET ${path} HTTP/1.1`, UPGRADE_HEADERS);
  }

  async stream(path: string, address?: string): Promise<RawClient> {
    const headers = ['Host: localhost', 'Accept: text/event-stream'];
    return (await this.connect(address)).head(`GET ${path} HTTP/1.1`, headers);
  }

  /** As many pages of a log as the connection may ask for at once. */
  async pages(path: string, count: number, address?: string): Promise<RawClient> {
    const client = await this.connect(address);
    return client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(count));
  }

  /** Who may come is there, and the gateway has done what it can for them: others are served, and nobody comes or goes. */
  async isUnderway(): Promise<void> {
    const files = () => readdirSync(`/proc/${this.gateway.pid}/fd`).length;
    await eventually(
      async () => {
        const before = files();
        for (let round = 0; round < 10; round += 1) await served(this.gateway);
        return files() === before;
      },
      { timeout: 20_000 },
    );
  }
}

/** Answers by how many MiB the gateway has grown at most. */
async function during(
  work: (attack: Attack) => Promise<void>,
  flags: readonly string[] = [],
  store?: string,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-hostile-'));
  await using gateway = await GatewayProcess.start({ store: store ?? folder, flags });
  const attack = new Attack(gateway);
  try {
    for (let log = 0; store === undefined && log < LOGS; log += 1) {
      await append(gateway, `account:${log}`, '\u0001'.repeat(MEBIBYTE));
    }
    await append(
      gateway,
      'account:ordinary',
      ...Array.from({ length: 4 }, () => 'x'.repeat(65_000)),
    );
    await served(gateway);
    const grown = await mostGrownBy(gateway.pid, async () => {
      await work(attack);
      await attack.isUnderway();
    });
    console.log(`grown by ${Math.round(grown / MEBIBYTE)} MiB`);
    return grown / MEBIBYTE;
  } finally {
    for (const client of attack.clients) client.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function append(gateway: GatewayProcess, log: string, ...payloads: string[]): Promise<void> {
  const body = JSON.stringify(payloads.map((payload) => ({ type: 'T', payload })));
  const response = await fetch(gateway.http(`/logs/${log}/events`), { method: 'POST', body });
  expect(response.status).toBe(201);
  await response.arrayBuffer();
}

/** Somebody who means well is served meanwhile. */
async function served(gateway: GatewayProcess): Promise<void> {
  const page = await fetch(gateway.http('/logs/account:ordinary/events'));
  expect(((await page.json()) as { events: unknown[] }).events).toHaveLength(4);
}

async function each(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

test('the numbers here are those of the docs', () => {
  const docs = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const [, section = ''] = docs.split('## Memory of a gateway');
  for (const [what, number] of [
    ['shared', `${SHARED} MiB`],
    ['a socket or event stream', `${PER_SOCKET} MiB`],
    ['an HTTP connection', `${PER_CONNECTION} MiB`],
    ['pages', `${PAGES} MiB`],
    ['bodies', `${TIMES_PARSED} × ${BODIES} MiB`],
  ] as const) {
    expect(section, what).toContain(number);
  }
});

test.each([
  ['200 pages with one event that is 6 MiB on the wire', '/accounts/1/events', 200],
  ['1,000 pages of 256 KiB', '/logs/account:ordinary/events', 1_000],
])(
  'one connection that asks for %s',
  async (_what, path, count) => {
    const grown = await during(async (attack) => {
      await attack.pages(path, count);
    });
    expect(grown).toBeLessThan(SHARED + PER_CONNECTION);
  },
  60_000,
);

test('one connection that appends a thousand events in each message, and reads no answer', async () => {
  const events = Array.from({ length: 1_000 }, () => '{"type":"T","payload":1}').join(',');
  const frame = clientFrame(1, Buffer.from(`{"op":"append","log":"a:b","events":[${events}]}`));
  const grown = await during(async (attack) => {
    const client = await attack.socket('/ws/1?format=json&after=now');
    for (let count = 0; count < 1_000; count += 1) client.write(frame);
  });
  expect(grown).toBeLessThan(SHARED + PER_SOCKET);
}, 60_000);

test.each(['socket', 'stream'] as const)(
  'one account, by each %s that it may have',
  async (kind) => {
    const grown = await during(async (attack) => {
      await each(100, (index) =>
        kind === 'socket'
          ? attack.socket(`/ws/1?format=${index % 2 === 0 ? 'json' : 'text'}`)
          : attack.stream('/accounts/1/events'),
      );
      await attack.isUnderway();
      // What comes now comes to all of them at once.
      await append(attack.gateway, 'account:1', '\u0001'.repeat(MEBIBYTE));
    });
    expect(grown).toBeLessThan(SHARED + 100 * PER_SOCKET);
  },
  60_000,
);

test('one address, by sockets, streams and pages, each of another log', async () => {
  const flags = ['--max-sockets-per-address', '80'];
  const grown = await during(async (attack) => {
    await each(40, (index) => attack.socket(`/ws/${index % LOGS}?format=json`));
    await each(40, (index) => attack.stream(`/accounts/${index % LOGS}/events`));
    await each(60, (index) => attack.pages(`/accounts/${index % LOGS}/events`, 50));
  }, flags);
  expect(grown).toBeLessThan(SHARED + 80 * PER_SOCKET + PAGES);
}, 60_000);

test('all connections together, from many addresses, with bodies that never end', async () => {
  const flags = ['--max-connections', '80'];
  const address = (index: number): string => `127.0.1.${1 + (index % 50)}`;
  const body = Buffer.alloc(2 * MEBIBYTE, '[');
  const grown = await during(async (attack) => {
    await each(40, (index) => attack.socket(`/ws/${index % LOGS}?format=json`, address(index)));
    await each(40, (index) => attack.stream(`/accounts/${index % LOGS}/events`, address(index)));
    await each(60, (index) => attack.pages(`/accounts/${index % LOGS}/events`, 20, address(index)));
    await each(100, async (index) => {
      const client = await attack.connect(address(index));
      const headers = ['Host: localhost', `Content-Length: ${8 * MEBIBYTE}`];
      client.head(`POST /accounts/${index}/events HTTP/1.1`, headers).write(body);
    });
  }, flags);
  expect(grown).toBeLessThan(SHARED + 80 * PER_SOCKET + PAGES + TIMES_PARSED * BODIES);
}, 60_000);

const DENSE = {
  async bodies({ gateway }: Attack): Promise<void> {
    const body = Buffer.from(`{"type":"T","payload":[${'[],'.repeat(83_000)}0]}`);
    const statuses = new Set<number>();
    await each(300, async (index) => {
      const url = gateway.http(`/accounts/${index}/events`);
      const response = await fetch(url, { method: 'POST', body });
      await response.arrayBuffer();
      statuses.add(response.status);
    });
    // Those that there was room for waited in vain, the others were not even parsed.
    expect([...statuses]).toEqual([503]);
  },
  async messages(attack: Attack): Promise<void> {
    const text = `{"op":"append","events":[{"type":"T","payload":[${'[],'.repeat(20_000)}0]}]}`;
    const frame = clientFrame(1, Buffer.from(text));
    await each(100, async (index) => {
      const client = await attack.socket(`/ws/${index}?format=json&after=now`);
      for (let count = 0; count < 16; count += 1) client.write(frame);
      await eventually(() => client.socket.writableLength === 0);
    });
  },
};

test.each(['bodies', 'messages'] as const)(
  '%s that are ten times as large when they are parsed, while the store is away',
  async (kind) => {
    await using redis = await RedisServer.start({ appendonly: 'yes' });
    const work = async (attack: Attack): Promise<void> => {
      await redis.kill();
      await DENSE[kind](attack);
      await redis.start();
    };
    const grown = await during(work, ['--append-wait', '2s'], redis.url());
    expect(grown).toBeLessThan(SHARED + TIMES_PARSED * BODIES);
  },
  60_000,
);
