/** One-time tickets: a page's way to a socket without a token in the address. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Logger } from '../../src/gateway/logger.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../src/stores/memory/records/memory-records.ts';
import { randomId } from '../support/names.ts';
import { Client, type RunningGateway, refusedUpgrade, startGateway } from './gateway-client.ts';
import { bearer, startAskingGateway } from './tokens.ts';

let running: RunningGateway;
let records: MemoryRecords;
let now: number;
let account: string;

beforeEach(async () => {
  now = Date.now();
  records = new MemoryRecords({ clock: () => now });
  running = await startAskingGateway({}, { records });
  account = randomId();
});

afterEach(() => running.stop());

async function ticketFor(id: string, claims = {}): Promise<string> {
  const headers = await bearer(id, { claims });
  const answer = await fetch(`${running.url}/tickets`, { method: 'POST', headers });
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store']);
  const { ticket, expiresIn } = (await answer.json()) as { ticket: string; expiresIn: number };
  expect(expiresIn).toBe(30);
  return ticket;
}

const refused = (ticket: string, gateway = running) =>
  refusedUpgrade(`${gateway.socketUrl}/ws?ticket=${ticket}`);

test('a ticket opens one socket, with all that its token may', async () => {
  const ticket = await ticketFor(account, { logs: ['room:*'] });
  const url = `${running.socketUrl}/ws/${account}?format=json&ticket=${ticket}`;
  const client = await Client.open(url);
  client.send({ op: 'subscribe', ref: 1, log: 'room:7' });
  client.send({ op: 'subscribe', ref: 2, log: 'hall:7' });
  expect(await client.frame(({ ref }) => ref === 2)).toMatchObject({ code: 'forbidden' });
  await client.frame(({ op, log }) => op === 'live' && log === 'room:7');
  const again = await refused(ticket);
  expect(again.status).toBe(401);
  expect(JSON.parse(again.body)).toMatchObject({ code: 'unauthenticated' });
  await client.close();
});

test('asking for tickets is charged like appending', async () => {
  await running.stop();
  running = await startAskingGateway(
    {},
    { records, limits: { appendRate: 0.001, appendBurst: 2 } },
  );
  await ticketFor(account);
  const ticket = await ticketFor(account);
  const headers = await bearer(account);
  const answer = await fetch(`${running.url}/tickets`, { method: 'POST', headers });
  expect([answer.status, await answer.json()]).toMatchObject([429, { code: 'rate_limited' }]);
  const client = await Client.open(`${running.socketUrl}/ws?ticket=${ticket}`);
  await client.close();
  await ticketFor(randomId());
});

test('of many who come with one ticket, one is let in', async () => {
  const ticket = await ticketFor(account);
  const url = `${running.socketUrl}/ws?ticket=${ticket}`;
  const tries = await Promise.allSettled(Array.from({ length: 10 }, () => Client.open(url)));
  const opened = tries.filter((attempt) => attempt.status === 'fulfilled');
  expect(opened).toHaveLength(1);
  for (const { value } of opened) await value.close();
});

test('it is over after 30 seconds', async () => {
  const ticket = await ticketFor(account);
  now += 30_000;
  expect(await refused(ticket)).toMatchObject({ status: 401 });
});

test.each(['', 'x', 'A'.repeat(43), '%00', '../session:1'])('%j never was one', async (ticket) => {
  expect(await refused(ticket)).toMatchObject({ status: 401 });
});

test('it is for its own account, and used up by trying another', async () => {
  const ticket = await ticketFor(account);
  const url = `${running.socketUrl}/ws/${randomId()}?ticket=${ticket}`;
  expect(await refusedUpgrade(url)).toMatchObject({ status: 403 });
  expect(await refused(ticket)).toMatchObject({ status: 401 });
});

test('any gateway over the same store takes it, and the store does not tell it', async () => {
  const kept: string[] = [];
  const batch = records.batch.bind(records);
  records.batch = (changes, options) => {
    kept.push(JSON.stringify(changes));
    return batch(changes, options);
  };
  const compareAndSet = records.compareAndSet.bind(records);
  records.compareAndSet = (...change) => {
    kept.push(JSON.stringify(change));
    return compareAndSet(...change);
  };
  const other = await startAskingGateway({}, { records });
  const ticket = await ticketFor(account);
  expect(kept.join()).toContain('ticket:');
  expect(kept.join()).not.toContain(ticket);
  const client = await Client.open(`${other.socketUrl}/ws?ticket=${ticket}`);
  await client.close();
  await other.stop();
});

test('a ticket buys no page, no append and no other ticket', async () => {
  const ticket = await ticketFor(account);
  for (const [path, method] of [
    [`/accounts/${account}/events`, 'GET'],
    [`/accounts/${account}/events`, 'POST'],
    ['/tickets', 'POST'],
  ] as const) {
    const answer = await fetch(`${running.url}${path}?ticket=${ticket}`, { method });
    expect(answer.status).toBe(401);
  }
});

test('other methods, and gateways without tickets', async () => {
  const answer = await fetch(`${running.url}/tickets`, { headers: await bearer(account) });
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  const open = await startGateway({ records });
  expect((await fetch(`${open.url}/tickets`, { method: 'POST' })).status).toBe(404);
  await open.stop();
});

test('neither tickets nor tokens get into the log', async () => {
  const lines: string[] = [];
  const write = (fields: object, message: string) => {
    const { err, ...rest } = fields as { err?: Error };
    lines.push(`${message} ${err?.stack} ${JSON.stringify(rest)}`);
  };
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const log = new MemoryLog();
  const loud = await startAskingGateway({}, { records, logger, log });
  log.read = () => Promise.reject(new Error('broken'));
  const headers = await bearer(account);
  const ticket = await ticketFor(account);
  const client = await Client.open(`${loud.socketUrl}/ws?ticket=${ticket}&format=json`);
  await fetch(`${loud.url}/accounts/${account}/events`, { headers });
  await refused(ticket, loud);
  const bad = `${headers.authorization.slice(0, -4)}AAAA`;
  await fetch(`${loud.url}/accounts/${account}/events`, { headers: { authorization: bad } });
  records.get = () => Promise.reject(new Error('broken'));
  expect(await refused(await ticketFor(account), loud)).toMatchObject({ status: 500 });
  expect(lines.length).toBeGreaterThan(0);
  const text = lines.join('\n');
  expect(text).not.toContain(ticket);
  expect(text).not.toContain(headers.authorization.split('.')[2]!.slice(0, 20));
  await client.close();
  await loud.stop();
});
