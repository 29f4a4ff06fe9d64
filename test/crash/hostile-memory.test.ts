/**
 * What clients that never read can make a gateway hold: each case against a process of its own, over
 * the default limits, with events of the character that is six bytes on the wire and one in the store.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RawClient } from '../e2e/raw-client.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { mostGrownBy } from '../support/own-memory.ts';

const MEBIBYTE = 1_048_576;

interface Attack {
  readonly gateway: GatewayProcess;
  /** A connection from which nothing is read. */
  connect(address?: string): Promise<RawClient>;
}

/** Answers by how many bytes the gateway has grown at most. */
async function during(
  attack: (attack: Attack) => Promise<void>,
  flags: readonly string[] = [],
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-hostile-'));
  const clients: RawClient[] = [];
  try {
    await using gateway = await GatewayProcess.start({ store: folder, flags });
    await append(gateway, 'account:1', '\u0001'.repeat(MEBIBYTE));
    await append(gateway, 'account:2', ...Array.from({ length: 4 }, () => 'x'.repeat(65_000)));
    await served(gateway);
    const connect = async (): Promise<RawClient> => {
      const client = new RawClient(gateway.port);
      clients.push(client);
      await client.connected();
      client.socket.pause();
      return client;
    };
    const grown = await mostGrownBy(gateway.pid, () => attack({ gateway, connect }));
    await served(gateway);
    return grown;
  } finally {
    for (const client of clients) client.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function append(gateway: GatewayProcess, log: string, ...payloads: string[]): Promise<void> {
  const body = JSON.stringify(payloads.map((payload) => ({ type: 'T', payload })));
  const response = await fetch(gateway.http(`/logs/${log}/events`), { method: 'POST', body });
  expect(response.status).toBe(201);
  await response.arrayBuffer();
}

/** Somebody who means well gets the same pages meanwhile. */
async function served(gateway: GatewayProcess): Promise<void> {
  for (const log of ['account:1', 'account:2']) {
    const page = await fetch(gateway.http(`/logs/${log}/events`));
    expect(((await page.json()) as { events: unknown[] }).events.length).toBeGreaterThan(0);
  }
}

test.each([
  ['200 pages with one event that is 6 MiB on the wire', 'account:1', 200],
  ['1,000 pages of 256 KiB', 'account:2', 1_000],
])(
  'one connection that asks for %s',
  async (_what, log, count) => {
    const grown = await during(async ({ gateway, connect }) => {
      const client = await connect();
      client.write(`GET /logs/${log}/events HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(count));
      for (let round = 0; round < 20; round += 1) await served(gateway);
    });
    console.log({ grown });
    expect(grown).toBeLessThan(160 * MEBIBYTE);
  },
  60_000,
);
