/**
 * Whatever a client writes into the headers that say who it is and where it comes from: it is let
 * in, or told what is wrong. Nothing else is thrown, and nothing takes long.
 */
import fc from 'fast-check';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { MillraceError } from '../../src/event/error.ts';
import { Access } from '../../src/gateway/identity/access.ts';
import { cookieSession } from '../../src/gateway/identity/cookie-session.ts';
import { type Authenticate, Unauthenticated } from '../../src/gateway/identity/identity.ts';
import { jwtAuthentication } from '../../src/gateway/identity/jwt.ts';
import { MemoryRecords } from '../../src/stores/memory/records/memory-records.ts';

const SECRET = 'a secret of the tests, of 32 bytes';
const SEED = 20_261_124;
let good: string;
let ways: readonly Access[];

beforeAll(async () => {
  const { publicKey } = await generateKeyPair('ES256', { extractable: true });
  const keys = { keys: [await exportJWK(publicKey)] };
  const records = new MemoryRecords();
  const authentications: readonly (Authenticate | undefined)[] = [
    undefined,
    jwtAuthentication({ secret: SECRET, cookie: 'session' }),
    jwtAuthentication({ keys }),
    cookieSession({ records, field: 'a.b' }),
  ];
  const options = { records, trustProxy: true, allowOrigins: ['https://a.example', '*'] };
  ways = authentications.map((authenticate) => new Access({ ...options, authenticate }));
  good = await new SignJWT({ sub: '1' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET));
});

const json = fc.oneof(
  fc.json({ maxDepth: 2 }),
  fc
    .record(
      {
        alg: fc.constantFrom('none', 'HS256', 'ES256', 'RS256', 'EdDSA', 'ES512', '', null, 7),
        kid: fc.anything({ maxDepth: 0 }),
        crit: fc.constantFrom(['b64'], [], 'b64'),
        b64: fc.boolean(),
        jwk: fc.constantFrom({ kty: 'oct', k: 'AA' }, null),
      },
      { requiredKeys: ['alg'] },
    )
    .map((header) => JSON.stringify(header) ?? ''),
);
const part = fc.oneof(
  json.map((text) => Buffer.from(text).toString('base64url')),
  fc.string({ maxLength: 40 }),
);
const damaged = fc
  .tuple(fc.nat(), fc.constantFrom('', '.', 'A', '=', '%', '\u00e9'))
  .map(([place, change]) => {
    const at = place % good.length;
    return good.slice(0, at) + change + good.slice(at + 1);
  });
const token = fc.oneof(
  fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
  damaged,
);
const text = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 20 }));
const name = fc.oneof(
  text,
  fc.constantFrom('localhost', 'a.example:443', '[::1]', 'a b', '@', 'https://a.example', 'null'),
);

const headers = fc.record(
  {
    authorization: fc.oneof(
      token.map((some) => `Bearer ${some}`),
      text,
    ),
    'sec-websocket-protocol': fc.oneof(
      token.map((some) => `x, millrace.token.${some}`),
      text,
    ),
    cookie: fc.oneof(
      token.map((some) => `a; session=${some}`),
      text,
    ),
    origin: name,
    host: name,
    'x-forwarded-host': name,
    'x-forwarded-proto': fc.oneof(text, fc.constantFrom('https', 'http, https')),
    'x-forwarded-for': text,
  },
  { requiredKeys: [] },
);
const url = fc.oneof(
  fc.constant('/ws'),
  text.map((some) => `/ws?${some}`),
  token.map((some) => `/ws?ticket=${some}`),
);

/** Refusals that the one who asks can do something about. */
const CLIENT_CODES = ['unauthenticated', 'invalid_query', 'forbidden_host', 'forbidden_origin'];

test('50,000 heads of requests', async () => {
  let letIn = 0;
  const property = fc.asyncProperty(headers, url, fc.nat(3), async (some, address, way) => {
    const request = {
      url: address,
      headers: { get: (header: string) => some[header as keyof typeof some] ?? null },
    };
    const access = ways[way]!;
    try {
      const entry = access.enter(request, { address: '192.0.2.1' });
      access.refuseForeign(entry);
      const identity = await access.identifySocket(request, entry);
      expect(identity?.account ?? 'nobody').toMatch(/^(1|nobody)$/);
      letIn += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(MillraceError);
      expect(CLIENT_CODES).toContain((error as MillraceError).code);
      if (error instanceof Unauthenticated) expect(error.challenge).toMatch(/^(Bearer|Cookie) /);
    }
  });
  await fc.assert(property, { numRuns: 50_000, seed: SEED, interruptAfterTimeLimit: 100_000 });
  expect(letIn).toBeGreaterThan(0);
}, 120_000);
