/** Tokens over real connections: which are taken, which are refused, and how they get here. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { randomId } from '../support/names.ts';
import { Client, type RunningGateway, refusedUpgrade } from './gateway-client.ts';
import { AUDIENCE, bearer, handmade, ISSUER, startAskingGateway, token } from './tokens.ts';

let running: RunningGateway;
let account: string;

beforeEach(async () => {
  running = await startAskingGateway();
  account = randomId();
});

afterEach(() => running.stop());

const numbered = (sub: number) => token(account, { claims: { sub } });
const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600;
const inThePast = () => Math.floor(Date.now() / 1_000) - 60;

/** Every way in: a socket, a page, a stream, an append. Each must answer the same. */
async function refusals(gateway: RunningGateway, headers: Record<string, string>) {
  const path = `/accounts/${account}/events`;
  const socket = await refusedUpgrade(`${gateway.socketUrl}/ws`, { headers });
  const answers = await Promise.all([
    fetch(`${gateway.url}${path}`, { headers }),
    fetch(`${gateway.url}${path}`, { headers: { ...headers, accept: 'text/event-stream' } }),
    fetch(`${gateway.url}${path}`, { headers, method: 'POST', body: '{"type":"T","payload":1}' }),
    fetch(`${gateway.url}/tickets`, { headers, method: 'POST' }),
    // What the upgrade is answered, for pages, which do not see it.
    fetch(`${gateway.url}/ws`, { headers }),
  ]);
  const challenges = answers.map((answer) => answer.headers.get('www-authenticate'));
  const problems = await Promise.all(answers.map((answer) => answer.json()));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => socket.status));
  expect(new Set(challenges)).toEqual(new Set([socket.headers['www-authenticate']]));
  for (const problem of problems) expect(problem).toEqual(JSON.parse(socket.body));
  return { status: socket.status, challenge: challenges[0], ...JSON.parse(socket.body) };
}

test('no token', async () => {
  const refused = await refusals(running, {});
  expect(refused).toMatchObject({ status: 401, code: 'unauthenticated' });
  expect(refused.challenge).toBe('Bearer realm="millrace"');
});

test.each([
  ['that has expired', () => token(account, { claims: { exp: inThePast() } }), 'has expired'],
  ['of another audience', () => token(account, { claims: { aud: 'others' } }), 'another audience'],
  ['without audience', () => token(account, { claims: { aud: undefined } }), 'claim aud'],
  ['of another issuer', () => token(account, { claims: { iss: 'https://x' } }), 'another issuer'],
  ['that is not valid yet', () => token(account, { claims: { nbf: inAnHour() } }), 'not valid yet'],
  ['that never expires', () => token(account, { claims: { exp: undefined } }), 'claim exp'],
  ['for nobody', () => token(account, { claims: { sub: undefined } }), 'claim sub'],
  ['for what is no account', () => token('a b'), 'claim sub'],
  ['for an account with too many digits', () => numbered(2 ** 53), '2^53 - 1'],
  ['for half an account', () => numbered(-1.5), 'claim sub'],
  ['with an odd claim logs', () => token(account, { claims: { logs: 'room:1' } }), 'claim logs'],
  ['with an odd claim admin', () => token(account, { claims: { admin: 'no' } }), 'claim admin'],
  [
    'with another secret',
    () => token(account, { key: Buffer.from('another secret, of 32 bytes as well') }),
    'signature',
  ],
  [
    'with another HMAC',
    () => token(account, { header: { alg: 'HS512' }, key: Buffer.alloc(64, 1) }),
    'algorithm',
  ],
  [
    'with alg none',
    async () => handmade({ alg: 'none' }, { sub: account, aud: AUDIENCE, exp: inAnHour() }),
    'algorithm',
  ],
  [
    'with alg NONE and a signature',
    async () => handmade({ alg: 'NONE' }, { sub: account, aud: AUDIENCE, exp: inAnHour() }, 'AAAA'),
    'algorithm',
  ],
  ['that is none', async () => 'abc.def.ghi', 'no JSON Web Token'],
  ['that is far too long', async () => 'a'.repeat(10_000), 'no JSON Web Token'],
])('a token %s', async (_what, make, reason) => {
  const refused = await refusals(running, { authorization: `Bearer ${await make()}` });
  expect(refused).toMatchObject({ status: 401, code: 'unauthenticated' });
  expect(refused.detail).toContain(reason);
  expect(refused.challenge).toBe('Bearer realm="millrace", error="invalid_token"');
});

test('a token whose payload was changed', async () => {
  const [head, , signature] = (await token(account)).split('.');
  const payload = { sub: '1', iss: ISSUER, aud: AUDIENCE, exp: inAnHour(), admin: true };
  const [, forged] = handmade({}, payload).split('.');
  const refused = await refusals(running, {
    authorization: `Bearer ${head}.${forged}.${signature}`,
  });
  expect(refused).toMatchObject({ status: 401, detail: 'the signature of the token is wrong' });
});

test('another scheme than Bearer', async () => {
  const refused = await refusals(running, { authorization: 'Basic YTpi' });
  expect(refused).toMatchObject({ status: 401, code: 'unauthenticated' });
});

test('a clock that is a little off is put up with, one that is far off is not', async () => {
  const gateway = await startAskingGateway({ tolerance: 120_000 });
  const headers = await bearer(account, { claims: { exp: inThePast() } });
  const client = await Client.open(`${gateway.socketUrl}/ws`, { headers });
  await client.close();
  await gateway.stop();
  const late = await startAskingGateway({ clock: () => Date.now() + 7_200_000 });
  expect(await refusals(late, await bearer(account))).toMatchObject({ status: 401 });
  await late.stop();
});

test('a token for an audience is refused by a gateway that was not told of any', async () => {
  const gateway = await startAskingGateway({ audience: undefined });
  expect(await refusals(gateway, await bearer(account))).toMatchObject({ status: 401 });
  const headers = await bearer(account, { claims: { aud: undefined } });
  expect((await fetch(`${gateway.url}/accounts/${account}/events`, { headers })).status).toBe(200);
  await gateway.stop();
});

test.each([['token'], ['access_token']])(
  'a token as ?%s= is refused, however good it is, and not repeated',
  async (name) => {
    const good = await token(account);
    const headers = { authorization: `Bearer ${good}` };
    const query = `?${name}=${good}`;
    const socket = await refusedUpgrade(`${running.socketUrl}/ws${query}`, { headers });
    const page = await fetch(`${running.url}/accounts/${account}/events${query}`, { headers });
    const text = await page.text();
    expect([socket.status, page.status]).toEqual([400, 400]);
    expect(JSON.parse(text)).toMatchObject({ code: 'invalid_query', field: name });
    expect(text).toContain('POST /tickets');
    expect(text + socket.body).not.toContain(good);
  },
);

test('an account may be a number in a token, if JSON brings it whole', async () => {
  const headers = { authorization: `Bearer ${await numbered(Number.MAX_SAFE_INTEGER)}` };
  const client = await Client.open(`${running.socketUrl}/ws/9007199254740991`, { headers });
  await client.close();
});

test('a socket gets its token by Authorization, by a subprotocol, or by a cookie if told so', async () => {
  const withCookie = await startAskingGateway({ cookie: 'token' });
  const good = await token(account);
  const inCookie = { headers: { cookie: `a=b; token=${good}` } };
  for (const [gateway, options] of [
    [running, { headers: { authorization: `Bearer ${good}` } }],
    [running, { protocol: ['millrace.json.v1', `millrace.token.${good}`] }],
    [running, { protocol: [`millrace.token.${good}`, 'millrace.json.v1'] }],
    [withCookie, inCookie],
  ] as const) {
    const protocol = 'protocol' in options ? [...options.protocol] : ['millrace.json.v1'];
    const client = await Client.open(`${gateway.socketUrl}/ws`, { ...options, protocol });
    expect(client.socket.protocol).toBe('millrace.json.v1');
    const live = await client.frame(({ op }) => op === 'live');
    expect(live.log).toBe(`account:${account}`);
    await client.close();
  }
  expect(await refusedUpgrade(`${running.socketUrl}/ws`, inCookie)).toMatchObject({ status: 401 });
  await withCookie.stop();
});

test('a token alone is no subprotocol that could be answered with', async () => {
  const protocol = [`millrace.token.${await token(account)}`];
  const refused = await refusedUpgrade(`${running.socketUrl}/ws`, { protocol });
  expect(JSON.parse(refused.body)).toMatchObject({ code: 'unsupported_subprotocol' });
});

test('the health of the gateway is no secret', async () => {
  expect(await (await fetch(running.url)).text()).toBe('Healthy');
  expect((await fetch(`${running.url}/nowhere`)).status).toBe(404);
});

test.each(['RS256', 'ES256', 'EdDSA'])(
  'a key set takes %s, and its keys for nothing else',
  async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const stranger = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1' };
    const gateway = await startAskingGateway({ keys: { keys: [jwk] } });
    const header = { alg, kid: 'k1' };
    const headers = await bearer(account, { key: privateKey, header });
    const client = await Client.open(`${gateway.socketUrl}/ws`, { headers });
    await client.close();

    const unsigned = { sub: account, iss: ISSUER, aud: AUDIENCE, exp: inAnHour() };
    const pem = await exportSPKI(publicKey);
    const confused = [pem, pem.trim(), JSON.stringify(jwk)].map((secret) => {
      const [head, body] = handmade({ alg: 'HS256', kid: 'k1' }, unsigned).split('.');
      const mac = createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url');
      return `${head}.${body}.${mac}`;
    });
    for (const forged of [
      ...confused,
      handmade({ alg: 'none', kid: 'k1' }, unsigned),
      await token(account, { key: stranger.privateKey, header }),
      await token(account, { key: stranger.privateKey, header: { alg, kid: 'k2' } }),
      await token(account),
    ]) {
      const refused = await refusals(gateway, { authorization: `Bearer ${forged}` });
      expect(refused).toMatchObject({ status: 401, code: 'unauthenticated' });
    }
    await gateway.stop();
  },
);

test('of several keys without a name, the right one is found', async () => {
  const pairs = await Promise.all(
    [1, 2, 3].map(() => generateKeyPair('ES256', { extractable: true })),
  );
  const keys = await Promise.all(pairs.map(({ publicKey }) => exportJWK(publicKey)));
  const gateway = await startAskingGateway({ keys: { keys } });
  for (const { privateKey } of pairs) {
    const headers = await bearer(account, { key: privateKey, header: { alg: 'ES256' } });
    expect((await fetch(`${gateway.url}/accounts/${account}/events`, { headers })).status).toBe(
      200,
    );
  }
  const { privateKey } = await generateKeyPair('ES256');
  const headers = await bearer(account, { key: privateKey, header: { alg: 'ES256' } });
  expect(await refusals(gateway, headers)).toMatchObject({ status: 401 });
  await gateway.stop();
});

test('a key set by URL; while it cannot be had, that is not said to be the fault of the token', async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const keySet = JSON.stringify({ keys: [await exportJWK(publicKey)] });
  let healthy = false;
  const issuer = createServer((_request, response) => {
    response.writeHead(healthy ? 200 : 500, { 'content-type': 'application/json' }).end(keySet);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => issuer.once('listening', resolve));
  const { port } = issuer.address() as AddressInfo;
  let now = Date.now();
  const keys = new URL(`http://127.0.0.1:${port}/keys`);
  const gateway = await startAskingGateway({ keys, clock: () => now });
  const headers = await bearer(account, { key: privateKey, header: { alg: 'RS256' } });
  const away = await fetch(`${gateway.url}/accounts/${account}/events`, { headers });
  expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await away.json()).toMatchObject({ code: 'keys_unavailable' });
  healthy = true;
  now += 1_000;
  expect((await fetch(`${gateway.url}/accounts/${account}/events`, { headers })).status).toBe(200);
  await gateway.stop();
  issuer.close();
});
