/** Every limit of a gateway, reached and released over real connections. */
import { afterEach, expect, test } from 'vitest';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import { eventually } from '../support/eventually.ts';
import { Client, type RunningGateway, refusedUpgrade, startGateway } from './gateway-client.ts';

let running: RunningGateway;
const clients: Client[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.terminate();
  await running.stop();
});

async function start(options: Partial<GatewayOptions>): Promise<void> {
  running = await startGateway(options);
}

async function open(path: string, headers: Record<string, string> = {}): Promise<Client> {
  const client = await Client.open(`${running.socketUrl}${path}`, { headers });
  clients.push(client);
  return client;
}

const refused = (path: string, headers: Record<string, string> = {}) =>
  refusedUpgrade(`${running.socketUrl}${path}`, { headers });

const tooMany = {
  status: 429,
  headers: { 'retry-after': '5', 'content-type': 'application/problem+json' },
};

test('appends over a socket: an error frame says when to come back, and then it works', async () => {
  await start({ limits: { appendRate: 20, appendBurst: 10 } });
  const client = await open('/ws/1?format=json&after=now');
  const append = (ref: number) =>
    client.send({ op: 'append', ref, events: [{ type: 'T', payload: ref }] });
  for (let ref = 0; ref < 15; ref += 1) append(ref);
  const error = await client.frame(({ op }) => op === 'error');
  expect(error).toMatchObject({
    code: 'rate_limited',
    message: 'account:1 may append 20 times a second, and 10 times at once after a pause',
  });
  const { retryAfter } = error as unknown as { retryAfter: number };
  expect(retryAfter).toBeGreaterThan(0);
  expect(retryAfter).toBeLessThanOrEqual(50);
  // Another account is not touched by that, and the socket stays open.
  const other = await open('/ws/2?format=json&after=now');
  other.send({ op: 'append', ref: 'other', events: [{ type: 'T', payload: 1 }] });
  await other.frame(({ op }) => op === 'appended');
  let ref = 100;
  await eventually(
    async () => {
      append(ref);
      const mine = ref;
      ref += 1;
      const answer = await client.frame((frame) => frame.ref === mine);
      return answer.op === 'appended';
    },
    { interval: retryAfter },
  );
});

test('appends over a socket in plain text are refused in plain text', async () => {
  await start({ limits: { appendRate: 1, appendBurst: 1 } });
  const client = await open('/ws/1?after=now');
  client.send('event:2');
  client.send('event:2');
  expect((await client.received(1))[0]).toMatch(/^error: account:1 may append .*\(rate_limited\)$/);
});

test('appends of one account count together: two sockets, and HTTP', async () => {
  const authenticate = async () => ({ account: '1' });
  await start({ authenticate, limits: { appendRate: 1, appendBurst: 3 } });
  const sockets = [await open('/ws?format=json'), await open('/ws?format=json')];
  for (const socket of sockets) {
    socket.send({ op: 'append', ref: 1, events: [{ type: 'T', payload: 1 }] });
    await socket.frame(({ op }) => op === 'appended');
  }
  const post = () =>
    fetch(`${running.url}/accounts/1/events`, {
      method: 'POST',
      body: '{"type":"T","payload":1}',
    });
  expect((await post()).status).toBe(201);
  const response = await post();
  expect(response.status).toBe(429);
  expect(Number(response.headers.get('retry-after'))).toBe(1);
  const problem = (await response.json()) as { retryAfter: number };
  expect(problem).toMatchObject({ code: 'rate_limited', status: 429 });
  expect(problem.retryAfter).toBeLessThanOrEqual(1_000);
  await eventually(async () => (await post()).status === 201, { interval: problem.retryAfter });
});

test('appends over HTTP to a gateway that asks nobody count for the client address', async () => {
  await start({ trustProxy: true, limits: { appendRate: 1, appendBurst: 2 } });
  const post = async (address: string) => {
    const response = await fetch(`${running.url}/accounts/1/events`, {
      method: 'POST',
      headers: { 'x-forwarded-for': address },
      body: '{"type":"T","payload":1}',
    });
    return response.status;
  };
  const first = '192.0.2.1';
  expect([await post(first), await post(first), await post(first)]).toEqual([201, 201, 429]);
  // What a client writes itself is to the left of what the proxy adds.
  expect(await post(`192.0.2.9, ${first}`)).toBe(429);
  expect(await post('192.0.2.2')).toBe(201);
});

test('sockets and event streams of one account, over whatever they come', async () => {
  await start({ limits: { maxSocketsPerAccount: 2 } });
  const first = await open('/ws/1');
  await open('/ws/1?format=json');
  const refusal = await refused('/ws/1');
  expect(refusal).toMatchObject(tooMany);
  expect(JSON.parse(refusal.body)).toMatchObject({
    code: 'too_many_connections',
    detail: 'account:1 may have 2 sockets and event streams open',
    retryAfter: 5_000,
  });
  await open('/ws/2');
  await first.close();
  await eventually(() => open('/ws/1'));
});

test('sockets and event streams from one address: the one that the proxy tells', async () => {
  await start({ trustProxy: true, limits: { maxSocketsPerAddress: 2 } });
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const stream = (address: string, signal?: AbortSignal) =>
    fetch(`${running.url}/accounts/1/events`, {
      headers: { accept: 'text/event-stream', ...from(address) },
      ...(signal === undefined ? {} : { signal }),
    });
  const leaving = new AbortController();
  expect((await stream('192.0.2.1', leaving.signal)).status).toBe(200);
  await open('/ws/1', from('198.51.100.7, 192.0.2.1'));
  expect(await refused('/ws/2', from('192.0.2.1'))).toMatchObject(tooMany);
  expect((await stream('192.0.2.1')).status).toBe(429);
  await open('/ws/3', from('192.0.2.2'));
  // A network of IPv6 is one client.
  await open('/ws/4', from('2001:db8::1'));
  await open('/ws/4', from('2001:db8::2'));
  expect(await refused('/ws/4', from('2001:db8::3'))).toMatchObject(tooMany);
  leaving.abort();
  await eventually(() => open('/ws/1', from('192.0.2.1')));
});

test.each([
  [
    'X-Forwarded-For',
    true,
    ['192.0.2.1:2001', '192.0.2.1', '[::ffff:192.0.2.1]:80', '0:0:0:0:0:FFFF:C000:0201'],
    ['not-an-address', 'unknown', '_hidden', ''.padEnd(9, 'x')],
  ],
  [
    'Forwarded',
    'forwarded' as const,
    ['for=192.0.2.1', 'for="192.0.2.1:7"', 'For="[::ffff:192.0.2.1]"; proto=https'],
    ['for=unknown', 'for=_a', 'for="', 'nonsense'],
  ],
])(
  '%s in all its spellings is one address, and what is none is one too',
  async (name, trustProxy, spellings, odd) => {
    await start({ trustProxy, limits: { maxSocketsPerAddress: spellings.length - 1 } });
    const from = (value: string) => ({ [name]: value });
    for (const many of [spellings, odd]) {
      const [last = '', ...others] = many.slice(0, spellings.length);
      for (const spelling of others) await open('/ws/1', from(spelling));
      expect(await refused('/ws/1', from(last))).toMatchObject(tooMany);
    }
  },
);

test('without a proxy that is trusted, the header of one changes nothing', async () => {
  await start({ limits: { maxSocketsPerAddress: 1 } });
  await open('/ws/1', { 'x-forwarded-for': '192.0.2.1' });
  const refusal = await refused('/ws/2', { 'x-forwarded-for': '192.0.2.2' });
  expect(refusal).toMatchObject(tooMany);
  expect(JSON.parse(refusal.body).detail).toMatch(/^address:127.0.0.1 may have 1 .*--trust-proxy/);
});

test('connections in all; plain requests are still answered', async () => {
  await start({ limits: { maxConnections: 3 } });
  const first = await open('/ws/1');
  await open('/ws/2');
  await open('/ws/3');
  expect(await refused('/ws/4')).toMatchObject(tooMany);
  const health = await fetch(running.url);
  expect(await health.text()).toBe('Healthy');
  await first.close();
  await eventually(() => open('/ws/4'));
});

test('events of one append, bytes of one event, and of all', async () => {
  const { MemoryLog } = await import('../../src/stores/memory/log/memory-log.ts');
  const limits = {
    maxPayloadBytes: 100,
    maxMetaBytes: 50,
    maxEventsPerAppend: 3,
    maxAppendBytes: 250,
  };
  const log = new MemoryLog({ limits });
  await start({ log });
  const post = async (...payloads: string[]) => {
    const events = payloads.map((payload) => ({ type: 'T', payload }));
    const response = await fetch(`${running.url}/accounts/1/events`, {
      method: 'POST',
      body: JSON.stringify(events),
    });
    const { code } = (await response.json()) as { code?: string };
    return code ?? response.status;
  };
  expect(await post('a', 'b', 'c')).toBe(201);
  expect(await post('a', 'b', 'c', 'd')).toBe('too_large');
  expect(await post('x'.repeat(100))).toBe(201);
  expect(await post('x'.repeat(101))).toBe('too_large');
  expect(await post('x'.repeat(90), 'x'.repeat(90), 'x'.repeat(90))).toBe('too_large');
});
