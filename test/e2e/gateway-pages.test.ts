/** Web pages: which may use the gateway, with whose cookies, and by which name. */
import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { accountLog } from '../../src/event/log-name.ts';
import { cookieSession } from '../../src/gateway/identity/cookie-session.ts';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import { MemoryRecords } from '../../src/stores/memory/records/memory-records.ts';
import { Client, type RunningGateway, refusedUpgrade, startGateway } from './gateway-client.ts';
import { bearer, startAskingGateway } from './tokens.ts';

let running: RunningGateway;

afterEach(() => running.stop());

const FRIEND = 'https://app.example.com';
const STRANGER = 'https://stranger.example';
const cookie = 'session=abc';
const EVENT = '{"type":"T","payload":1}';
const PATH = '/accounts/1/events';

/** With a session of account 1. */
async function startWithSession(options: Partial<GatewayOptions> = {}): Promise<void> {
  const records = new MemoryRecords();
  await records.compareAndSet('session:abc', null, '1');
  const authenticate = cookieSession({ records });
  running = await startGateway({ authenticate, records, allowOrigins: [FRIEND], ...options });
}

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A request with headers that `fetch` keeps to itself. */
async function ask(path: string, headers: Record<string, string>, method = 'GET'): Promise<Answer> {
  const { port } = running.listening;
  const sent = request({ host: '127.0.0.1', port, path, method, headers });
  sent.end(method === 'POST' ? EVENT : undefined);
  const [response] = await once(sent, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  const problem = String(response.headers['content-type']).includes('problem');
  const code = problem ? JSON.parse(body).code : undefined;
  return { status: response.statusCode, code, headers: response.headers };
}

const socketOf = (headers: Record<string, string>) =>
  refusedUpgrade(`${running.socketUrl}/ws`, { headers });

test('a foreign page cannot use the cookies of its visitor', async () => {
  await startWithSession();
  for (const origin of [STRANGER, 'null', 'http://localhost:3000', `${FRIEND}.stranger.example`]) {
    const headers = { cookie, origin };
    expect(await socketOf(headers)).toMatchObject({ status: 403 });
    for (const [path, method] of [
      [PATH, 'POST'],
      ['/tickets', 'POST'],
      ['/accounts/1', 'DELETE'],
      [PATH, 'OPTIONS'],
    ] as const) {
      expect(await ask(path, headers, method)).toMatchObject({ code: 'forbidden_origin' });
    }
    const read = await ask(PATH, headers);
    expect(read.headers).not.toHaveProperty('access-control-allow-origin');
    expect(read.headers).not.toHaveProperty('access-control-allow-credentials');
  }
  expect((await running.log.read(accountLog('1'))).events).toEqual([]);
});

test('a page that is named, and one of the very same origin, can', async () => {
  await startWithSession();
  for (const origin of [FRIEND, running.url]) {
    const headers = { cookie, origin };
    const client = await Client.open(`${running.socketUrl}/ws`, { headers });
    await client.close();
    const written = await ask(PATH, headers, 'POST');
    expect(written).toMatchObject({ status: 201 });
    expect(written.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
    });
    const asked = { origin, 'access-control-request-method': 'DELETE' };
    const preflight = await ask('/accounts/1', asked, 'OPTIONS');
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-methods']).toContain('DELETE');
    expect(preflight.headers['access-control-allow-headers']).toContain('Authorization');
    expect(preflight.headers['access-control-allow-credentials']).toBe('true');
  }
});

test('a page with a token may send and read all that a client goes by', async () => {
  running = await startAskingGateway(
    {},
    { allowOrigins: [FRIEND], limits: { appendRate: 1, appendBurst: 4 } },
  );
  const sent = 'authorization, content-type, if-match, producer-id, producer-epoch, producer-seq';
  for (const path of [PATH, '/logs/account:1/events', '/tickets']) {
    const preflight = await ask(
      path,
      {
        origin: FRIEND,
        'access-control-request-method': 'POST',
        'access-control-request-headers': sent,
      },
      'OPTIONS',
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe(FRIEND);
    expect(preflight.headers['access-control-allow-methods']).toContain('POST');
    // A browser compares them by name, `Authorization` never by `*`.
    const allowed = String(preflight.headers['access-control-allow-headers']).toLowerCase();
    expect(allowed.split(', ')).toEqual(expect.arrayContaining(sent.split(', ')));
  }
  const headers = { ...(await bearer('1')), origin: FRIEND };
  const producer = { 'producer-id': 'p', 'producer-epoch': '0', 'producer-seq': '0' };
  const appended = await ask(PATH, { ...headers, ...producer, 'if-match': '"0-0"' }, 'POST');
  const readable = (answer: Answer) => {
    expect(answer.headers['access-control-allow-origin']).toBe(FRIEND);
    return String(answer.headers['access-control-expose-headers']).split(', ');
  };
  expect(appended).toMatchObject({ status: 201, headers: { etag: expect.any(String) } });
  expect(readable(appended)).toContain('ETag');
  expect(readable(await ask(PATH, headers))).toContain('ETag');
  const ticket = await ask('/tickets', headers, 'POST');
  let limited = ticket;
  for (let tries = 0; limited.status !== 429 && tries < 100; tries += 1) {
    limited = await ask('/tickets', headers, 'POST');
  }
  expect(ticket.status).toBe(201);
  expect(limited).toMatchObject({ status: 429, headers: { 'retry-after': expect.any(String) } });
  expect(readable(limited)).toContain('Retry-After');
  const stream = await ask(PATH, { origin: STRANGER, authorization: 'Bearer x' }, 'OPTIONS');
  expect(stream).toMatchObject({ status: 403, code: 'forbidden_origin' });
});

test('a refusal can be read by the page that it is for', async () => {
  running = await startAskingGateway({}, { allowOrigins: [FRIEND] });
  const refused = await ask(PATH, { origin: FRIEND });
  expect(refused).toMatchObject({ status: 401, code: 'unauthenticated' });
  expect(refused.headers['access-control-allow-origin']).toBe(FRIEND);
});

test('where all pages are allowed, cookies prove nothing, and tokens do', async () => {
  await startWithSession({ allowOrigins: ['*', FRIEND] });
  const stranger = { cookie, origin: STRANGER };
  expect(await socketOf(stranger)).toMatchObject({ status: 401 });
  expect(await ask(PATH, stranger, 'POST')).toMatchObject({ status: 401 });
  const read = await ask(PATH, stranger);
  expect(read.status).toBe(401);
  expect(read.headers).not.toHaveProperty('access-control-allow-credentials');
  expect(await ask(PATH, { cookie, origin: FRIEND }, 'POST')).toMatchObject({ status: 201 });
  await running.stop();

  running = await startAskingGateway({}, { allowOrigins: ['*'] });
  const withToken = { ...(await bearer('1')), origin: STRANGER };
  expect(await ask(PATH, withToken, 'POST')).toMatchObject({ status: 201 });
});

test('an open gateway does not answer to a name that somebody pointed at it', async () => {
  running = await startGateway({ allowHosts: ['millrace.internal'] });
  const { port } = running.listening;
  for (const host of ['rebound.example', `rebound.example:${port}`, 'localhost.rebound.example']) {
    for (const [path, method] of [
      ['/', 'GET'],
      [PATH, 'GET'],
      [PATH, 'POST'],
      [PATH, 'OPTIONS'],
      ['/nowhere', 'GET'],
    ] as const) {
      expect(await ask(path, { host }, method)).toMatchObject({
        status: 403,
        code: 'forbidden_host',
      });
      const origin = `http://${host}`;
      expect(await ask(path, { host, origin }, method)).toMatchObject({ code: 'forbidden_host' });
    }
    const socket = await refusedUpgrade(`${running.socketUrl}/ws/1`, { headers: { host } });
    expect(JSON.parse(socket.body)).toMatchObject({ code: 'forbidden_host' });
  }
  for (const host of ['localhost', `127.0.0.1:${port}`, '[::1]', 'Millrace.Internal:80']) {
    expect(await ask(PATH, { host })).toMatchObject({ status: 200 });
  }
});

test('a gateway that asks who you are answers to any name', async () => {
  running = await startAskingGateway();
  const headers = { ...(await bearer('1')), host: 'millrace.example' };
  expect(await ask(PATH, headers)).toMatchObject({ status: 200 });
});

test('what a proxy says counts only where it was said that there is one', async () => {
  const origin = 'https://millrace.example';
  const forwarded = {
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'millrace.example',
    'x-forwarded-for': '203.0.113.9',
  };
  await startWithSession({ allowOrigins: [] });
  expect(await ask(PATH, { cookie, origin, ...forwarded }, 'POST')).toMatchObject({ status: 403 });
  await running.stop();

  await startWithSession({ allowOrigins: [], trustProxy: true });
  expect(await ask(PATH, { cookie, origin, ...forwarded }, 'POST')).toMatchObject({ status: 201 });
  expect(await ask(PATH, { cookie, origin }, 'POST')).toMatchObject({ status: 403 });
  // What a client wrote itself comes first, what the nearest proxy added comes last.
  const chain = { ...forwarded, 'x-forwarded-host': 'millrace.example, real.example' };
  expect(await ask(PATH, { cookie, origin, ...chain }, 'POST')).toMatchObject({ status: 403 });
  await running.stop();

  running = await startGateway({ trustProxy: true });
  expect(await ask('/', forwarded)).toMatchObject({ code: 'forbidden_host' });
  const masked = { host: 'rebound.example', 'x-forwarded-host': 'localhost' };
  expect(await ask('/', masked)).toMatchObject({ code: 'forbidden_host' });
});
