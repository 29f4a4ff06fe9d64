/** Connections end with the right to them, and their clients are told why. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { accountLog } from '../../src/event/log-name.ts';
import { Unavailable, WrongType } from '../../src/event/store-errors.ts';
import { cookieSession } from '../../src/gateway/identity/cookie-session.ts';
import { MemoryRecords } from '../../src/stores/memory/records/memory-records.ts';
import { eventually } from '../support/eventually.ts';
import { randomId } from '../support/names.ts';
import { Client, type RunningGateway, refusedUpgrade, startGateway } from './gateway-client.ts';
import { bearer, startAskingGateway, token } from './tokens.ts';

let account: string;
let running: RunningGateway;

beforeEach(() => {
  account = randomId();
});

afterEach(() => running.stop());

/** A token for between one and two seconds. */
const shortLived = () => bearer(account, { claims: { exp: Math.floor(Date.now() / 1_000) + 2 } });

async function streamed(url: string, headers: Record<string, string>): Promise<string> {
  const response = await fetch(url, { headers: { ...headers, accept: 'text/event-stream' } });
  expect(response.status).toBe(200);
  return response.text();
}

test('a token that expires while connected: the socket is told, and closed with 4401', async () => {
  running = await startAskingGateway({ tolerance: 0 });
  const url = `${running.socketUrl}/ws`;
  const headers = await shortLived();
  const client = await Client.open(url, { headers, protocol: 'millrace.json.v1' });
  const person = await Client.open(url, { headers });
  const lasting = await Client.open(url, { headers: await bearer(account) });
  await client.frame(({ op }) => op === 'live');
  expect(await client.closing).toEqual({ code: 4401, reason: 'unauthenticated' });
  const told = client.frames.find(({ op }) => op === 'error');
  expect(told).toMatchObject({ code: 'unauthenticated', message: /has expired.*connect again/ });
  expect(await person.closing).toEqual({ code: 4401, reason: 'unauthenticated' });
  expect(person.messages.at(-1)).toMatch(/^error: .*expired.*\(unauthenticated\)$/);
  await running.log.append(accountLog(account), [{ type: 'Late', payload: 1 }]);
  await lasting.received(1);
  expect(client.events).toEqual([]);
  await lasting.close();
});

test('a stream ends with failed, which says why', async () => {
  running = await startAskingGateway({ tolerance: 0 });
  const url = `${running.url}/accounts/${account}/events`;
  const text = await streamed(url, await shortLived());
  const failed = /event: failed\ndata: (.*)\n\n$/.exec(text)?.[1];
  expect(JSON.parse(failed ?? '')).toMatchObject({ status: 401, code: 'unauthenticated' });
});

test('a socket that came with a ticket ends with the token that the ticket was for', async () => {
  running = await startAskingGateway({ tolerance: 0 });
  const headers = await shortLived();
  const answer = await fetch(`${running.url}/tickets`, { method: 'POST', headers });
  const { ticket } = (await answer.json()) as { ticket: string };
  const client = await Client.open(`${running.socketUrl}/ws?ticket=${ticket}`);
  expect(await client.closing).toMatchObject({ code: 4401 });
});

test('another token carries a socket over the end of the one before, or of its ticket', async () => {
  running = await startAskingGateway({ tolerance: 0 });
  const protocol = 'millrace.json.v1';
  const headers = await shortLived();
  const answer = await fetch(`${running.url}/tickets`, { method: 'POST', headers });
  const { ticket } = (await answer.json()) as { ticket: string };
  const url = `${running.socketUrl}/ws`;
  const renewed = await Promise.all([
    Client.open(`${url}?follow=none`, { protocol, headers }),
    Client.open(`${url}?follow=none&ticket=${ticket}`, { protocol }),
  ]);
  const left = await Client.open(`${url}?follow=none`, { protocol, headers });
  for (const client of renewed) {
    const connected = await client.frame(({ op }) => op === 'connected');
    expect(connected).toMatchObject({ account });
    expect(connected.expiresIn).toBeLessThanOrEqual(2_000);
    client.send({ op: 'authenticate', ref: 1, token: await token(account) });
    const authenticated = await client.frame(({ ref }) => ref === 1);
    expect(authenticated).toMatchObject({ op: 'authenticated', account });
    expect(authenticated.expiresIn).toBeGreaterThan(3_500_000);
  }
  // The one that was not renewed says when.
  expect(await left.closing).toMatchObject({ code: 4401 });
  for (const client of renewed) {
    client.send({ op: 'append', ref: 2, events: [{ type: 'Late', payload: 1 }] });
    expect(await client.frame(({ ref }) => ref === 2)).toMatchObject({ op: 'appended' });
    await client.close();
  }
});

test('a token that is looked at is charged like an append, and told nobody', async () => {
  const lines: string[] = [];
  const say = (...line: unknown[]) => void lines.push(JSON.stringify(line));
  running = await startAskingGateway(
    {},
    {
      limits: { appendRate: 1, appendBurst: 2 },
      logger: { debug: say, info: say, warn: say, error: say },
    },
  );
  const client = await Client.open(`${running.socketUrl}/ws?follow=none`, {
    ...{ protocol: 'millrace.json.v1', headers: await bearer(account) },
  });
  const secret = 'a.secret.token';
  for (const ref of [1, 2, 3]) client.send({ op: 'authenticate', ref, token: secret });
  const limited = await client.frame(({ ref }) => ref === 3);
  expect(limited).toMatchObject({ code: 'rate_limited', retryAfter: expect.any(Number) });
  const codes = client.frames.slice(1).map(({ code }) => code);
  expect(codes).toEqual(['unauthenticated', 'unauthenticated', 'rate_limited']);
  expect([...lines, ...client.messages].join()).not.toContain(secret);
  await client.close();
});

describe('sessions', () => {
  const SESSION = 'a-session-id-that-nobody-guesses';
  const headers = { cookie: `session=${SESSION}` };
  let records: MemoryRecords;

  async function start(options: Partial<Parameters<typeof cookieSession>[0]> = {}): Promise<void> {
    records = new MemoryRecords();
    await records.compareAndSet(`session:${SESSION}`, null, account);
    const authenticate = cookieSession({ records, recheck: 100, ...options });
    running = await startGateway({ authenticate, records });
  }

  const end = () => records.compareAndSet(`session:${SESSION}`, account, null);

  test('a session is looked at again, and its end is that of its connections', async () => {
    await start();
    let looks = 0;
    const get = records.get.bind(records);
    records.get = (key) => {
      looks += 1;
      return get(key);
    };
    const answer = await fetch(`${running.url}/tickets`, { method: 'POST', headers });
    const { ticket } = (await answer.json()) as { ticket: string };
    const clients = [
      await Client.open(`${running.socketUrl}/ws`, { headers }),
      await Client.open(`${running.socketUrl}/ws?ticket=${ticket}`),
    ];
    const stream = streamed(`${running.url}/accounts/${account}/events`, headers);
    await eventually(() => looks > 12);
    expect(clients.map(({ closed }) => closed)).toEqual([false, false]);
    await end();
    for (const client of clients) {
      expect(await client.closing).toEqual({ code: 4401, reason: 'unauthenticated' });
      expect(client.messages.at(-1)).toContain('sign in again');
    }
    expect(await stream).toContain('event: failed');
  });

  test('a session has no end that a client could know, and is not renewed by one', async () => {
    await start();
    const client = await Client.open(`${running.socketUrl}/ws?follow=none`, {
      ...{ protocol: 'millrace.json.v1', headers },
    });
    client.send({ op: 'authenticate', ref: 1, token: 'abc' });
    expect(await client.frame(({ ref }) => ref === 1)).toMatchObject({ code: 'forbidden' });
    expect(client.frames[0]).toEqual({ op: 'connected', account });
    await client.close();
  });

  test('a session that becomes that of another account ends', async () => {
    await start();
    const client = await Client.open(`${running.socketUrl}/ws`, { headers });
    await records.compareAndSet(`session:${SESSION}`, account, randomId());
    expect(await client.closing).toMatchObject({ code: 4401 });
  });

  test('a store that is away says nothing about sessions', async () => {
    await start({ recheck: 20 });
    const client = await Client.open(`${running.socketUrl}/ws`, { headers });
    let asked = 0;
    records.get = () => {
      asked += 1;
      return Promise.reject(new Unavailable('gone'));
    };
    await eventually(() => asked > 0);
    client.send('ping');
    expect(await client.received(1)).toEqual(['pong']);
    expect(await refusedUpgrade(`${running.socketUrl}/ws`, { headers })).toMatchObject({
      status: 503,
    });
    await client.close();
  });

  test('no cookie, an unknown session, and one that is none', async () => {
    await start();
    for (const cookie of ['', 'session=', 'session=x', `sessions=${SESSION}`, 'session=%00%20']) {
      const refused = await refusedUpgrade(`${running.socketUrl}/ws`, { headers: { cookie } });
      expect(refused.status).toBe(401);
      expect(refused.headers['www-authenticate']).toBe(
        'Cookie realm="millrace" cookie-name=session',
      );
    }
    const token = await bearer(account);
    expect(await refusedUpgrade(`${running.socketUrl}/ws`, { headers: token })).toMatchObject({
      status: 401,
    });
  });

  test('a cookie that names something that is no record is no session', async () => {
    await start();
    records.get = (key) => Promise.reject(new WrongType(key));
    const refusal = await refusedUpgrade(`${running.socketUrl}/ws`, { headers });
    expect([refusal.status, JSON.parse(refusal.body).code]).toEqual([401, 'unauthenticated']);
    const page = await fetch(`${running.url}/accounts/${account}/events`, { headers });
    expect(page.status).toBe(401);
  });

  test('the key, the cookie, and where the account is in the record can be told', async () => {
    await start({ cookie: 'sid', key: 'app:{id}:web', field: 'user.id' });
    const record = JSON.stringify({ user: { id: 42, name: 'Han' } });
    await records.compareAndSet('app:abc:web', null, record);
    await records.compareAndSet('app:odd:web', null, '{"user":{"id":"a b"}}');
    await records.compareAndSet('app:text:web', null, '42');
    const client = await Client.open(`${running.socketUrl}/ws/42`, {
      headers: { cookie: 'other=1; sid="abc"' },
    });
    await client.close();
    const numbers = [
      '9007199254740993',
      '9007199254740992',
      '-1.5',
      '-1',
      '1e400',
      'true',
      '["42"]',
    ];
    for (const number of numbers) {
      await records.compareAndSet(`app:${number}:web`, null, `{"user":{"id":${number}}}`);
    }
    for (const id of ['odd', 'text', SESSION, ...numbers]) {
      const cookie = `sid=${encodeURIComponent(id)}`;
      const refusal = await refusedUpgrade(`${running.socketUrl}/ws`, { headers: { cookie } });
      expect([id, refusal.status]).toEqual([id, 401]);
    }
  });
});
