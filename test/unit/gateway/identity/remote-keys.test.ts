/** The keys of an issuer, from a server that does whatever a test tells it, by a clock of the test. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Unauthenticated } from '../../../../src/gateway/identity/identity.ts';
import { jwtAuthentication } from '../../../../src/gateway/identity/jwt.ts';
import { RemoteKeys } from '../../../../src/gateway/identity/remote-keys.ts';
import { type Logger, SILENT } from '../../../../src/gateway/logger.ts';
import { eventually } from '../../../support/eventually.ts';

const MINUTE = 60_000;

interface Pair {
  readonly jwk: JWK;
  readonly privateKey: CryptoKey;
}

let first: Pair;
let second: Pair;

beforeAll(async () => {
  first = await pair('first');
  second = await pair('second');
});

async function pair(kid: string): Promise<Pair> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { jwk: { ...(await exportJWK(publicKey)), kid }, privateKey };
}

let server: Server;
let url: URL;
/** What the server does; by default it publishes `published`. */
let answer: (response: ServerResponse) => void;
let published: readonly JWK[];
let fetches: number;
let now: number;
let told: string[];
let authenticate: ReturnType<typeof jwtAuthentication>;

const publish = (response: ServerResponse) =>
  void response.writeHead(200).end(JSON.stringify({ keys: published }));

beforeEach(async () => {
  fetches = 0;
  now = Date.now();
  told = [];
  published = [first.jwk];
  answer = publish;
  server = createServer((_request, response) => {
    fetches += 1;
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys?secret`);
  const note = (fields: object, message: string) =>
    void told.push(JSON.stringify([message, fields]));
  const logger: Logger = { ...SILENT, info: note, warn: note };
  authenticate = jwtAuthentication({ keys: url, clock: () => now, logger });
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function tokenOf({ privateKey }: Pair, kid: string): Promise<string> {
  const claims = { sub: '1', exp: Math.floor(now / 1_000) + 86_400 };
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);
}

/** The account, or the code of the refusal. */
async function signIn(key = first, kid = key.jwk.kid!): Promise<string> {
  const authorization = `Bearer ${await tokenOf(key, kid)}`;
  try {
    return (await authenticate({ url: '/', headers: new Headers({ authorization }) })).account;
  } catch (error) {
    if (error instanceof Unauthenticated) return '401';
    return (error as { code: string }).code;
  }
}

const many = <Result>(count: number, work: () => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, () => work()));

test('many tokens at once are one fetch, and no more are needed while keys are fresh', async () => {
  expect(new Set(await many(50, signIn))).toEqual(new Set(['1']));
  now += 5 * MINUTE - 1;
  expect(await signIn()).toBe('1');
  expect(fetches).toBe(1);
});

test('keys are fetched anew before they are old, and nobody waits for it', async () => {
  await signIn();
  let release = () => {};
  answer = (response) => {
    release = () => publish(response);
  };
  now += 5 * MINUTE;
  published = [second.jwk];
  expect(await many(10, signIn)).toEqual(Array(10).fill('1'));
  await eventually(() => fetches === 2);
  release();
  answer = publish;
  await eventually(async () => (await signIn(second)) === '1');
  expect(fetches).toBe(2);
});

test('a key that was withdrawn counts for ten minutes at most', async () => {
  await signIn();
  published = [second.jwk];
  now += 10 * MINUTE;
  expect([await signIn(first), await signIn(second)]).toEqual(['401', '1']);
  expect(fetches).toBe(2);
});

test('a new key is found by its first token, but not more often than every 30 seconds', async () => {
  await signIn();
  published = [first.jwk, second.jwk];
  expect(await signIn(second)).toBe('401');
  now += 29_999;
  expect(await signIn(second)).toBe('401');
  expect(fetches).toBe(1);
  now += 1;
  expect(await many(20, () => signIn(second))).toEqual(Array(20).fill('1'));
  expect(fetches).toBe(2);
});

test('tokens with keys that nobody knows make one fetch in 30 seconds', async () => {
  await signIn();
  for (let round = 0; round < 3; round += 1) {
    now += 30_000;
    for (let each = 0; each < 50; each += 1) expect(await signIn(second, `k${each}`)).toBe('401');
    expect(new Set(await many(50, () => signIn(second, 'another')))).toEqual(new Set(['401']));
    expect(fetches).toBe(2 + round);
  }
  expect(await signIn()).toBe('1');
});

/** The ways in which keys cannot be had. */
const OUTAGES: readonly (readonly [string, () => void])[] = [
  ['nobody listens', () => void server.close()],
  ['it hangs up', () => (answer = (response) => void response.destroy())],
  ['it hangs up in the middle', () => (answer = cutInTheMiddle)],
  ['it fails', () => (answer = (response) => void response.writeHead(500).end('{"keys":[]}'))],
  ['it says where else', () => (answer = (response) => void redirect(response))],
  ['it sends no JSON', () => (answer = (response) => void response.end('<html>'))],
  ['it sends no key set', () => (answer = (response) => void response.end('{"keys":{}}'))],
  ['it sends nothing', () => (answer = (response) => void response.end())],
  ['it sends too much', () => (answer = (response) => void response.end(tooLarge()))],
];

function cutInTheMiddle(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': '1000' }).write('{"keys":');
  setImmediate(() => response.destroy());
}

function redirect(response: ServerResponse): void {
  response.writeHead(302, { location: '/elsewhere' }).end();
}

const tooLarge = () => JSON.stringify({ keys: [first.jwk], more: 'x'.repeat(262_144) });

describe.each(OUTAGES)('while %s', (_how, begin) => {
  test('keys that are known count, and it is tried every 30 seconds', async () => {
    await signIn();
    server.closeAllConnections();
    begin();
    for (let minute = 0; minute < 60; minute += 1) {
      now += MINUTE;
      expect(await signIn()).toBe('1');
    }
    const tried = fetches;
    // What was begun in the background ends before time goes on.
    await eventually(() => told.length === 1);
    now += 30_000;
    expect(await many(100, signIn)).toEqual(Array(100).fill('1'));
    expect(fetches - tried).toBeLessThanOrEqual(1);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('cannot be fetched; those that are known go on counting');
    expect(told[0]).not.toContain('secret');
  });

  test('a key that is not known may be a new one: 503, without a fetch for each', async () => {
    await signIn();
    server.closeAllConnections();
    begin();
    now += 30_000;
    const refusals = [await signIn(second), ...(await many(50, () => signIn(second)))];
    expect(new Set(refusals)).toEqual(new Set(['keys_unavailable']));
    expect(fetches).toBeLessThanOrEqual(2);
  });
});

test('without any keys nobody comes in, and it is tried once a second', async () => {
  answer = (response) => void response.writeHead(503).end();
  expect(new Set(await many(50, signIn))).toEqual(new Set(['keys_unavailable']));
  for (let each = 0; each < 20; each += 1) expect(await signIn()).toBe('keys_unavailable');
  expect(fetches).toBe(1);
  answer = publish;
  now += 1_000;
  expect(await signIn()).toBe('1');
  expect(told).toHaveLength(2);
  expect(told[1]).toContain('can be fetched again');
});

test('after an outage, what was withdrawn meanwhile counts no more', async () => {
  await signIn();
  answer = (response) => void response.writeHead(500).end();
  now += 60 * MINUTE;
  expect([await signIn(), await signIn(second)]).toEqual(['1', 'keys_unavailable']);
  answer = publish;
  published = [second.jwk];
  now += 30_000;
  await eventually(async () => (await signIn()) === '401');
  expect(await signIn(second)).toBe('1');
});

test('a clock that is set back does not keep old keys fresh', async () => {
  await signIn();
  published = [second.jwk];
  now -= 60 * MINUTE;
  expect(await signIn()).toBe('401');
  expect(fetches).toBe(2);
});

describe('a server without an end', () => {
  const find = (keys: RemoteKeys) =>
    keys.find({ alg: 'ES256', kid: 'first' } as never, {} as never);

  test('that sends nothing, or ever a little more, is given up after the timeout', async () => {
    const closed: boolean[] = [];
    for (const trickle of [false, true]) {
      answer = (response) => {
        response.writeHead(200).flushHeaders();
        const timer = setInterval(() => trickle && response.write(' '), 20);
        response.on('close', () => {
          clearInterval(timer);
          closed.push(true);
        });
      };
      const keys = new RemoteKeys(url, { timeout: 200 });
      await expect(find(keys)).rejects.toMatchObject({ code: 'keys_unavailable' });
    }
    await eventually(() => closed.length === 2);
  });

  test('that sends ever more is given up after 256 KiB', async () => {
    let sent = 0;
    let closed = false;
    answer = (response) => {
      const chunk = Buffer.from(`${JSON.stringify(first.jwk)},`.repeat(100));
      const send = () => {
        while (!closed && response.write(chunk)) sent += chunk.length;
      };
      response.on('close', () => {
        closed = true;
      });
      response.on('drain', send);
      response.write('{"keys":[');
      send();
    };
    await expect(find(new RemoteKeys(url))).rejects.toMatchObject({ code: 'keys_unavailable' });
    await eventually(() => closed);
    // What the network holds on the way comes on top.
    expect(sent).toBeLessThan(16 * 1_048_576);
  });

  test('in an outage, who comes while a fetch hangs does not wait for it', async () => {
    await signIn();
    answer = (response) => void response.writeHead(500).end();
    now += 11 * MINUTE;
    expect(await signIn()).toBe('1');
    answer = () => {};
    now += 30_000;
    expect(await many(20, signIn)).toEqual(Array(20).fill('1'));
    await eventually(() => fetches === 3);
  });
});
