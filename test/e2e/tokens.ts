/** A gateway that asks who you are, and tokens of all kinds for it. */
import { type CryptoKey, type JWTPayload, SignJWT } from 'jose';
import { type JwtOptions, jwtAuthentication } from '../../src/gateway/identity/jwt.ts';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import { MemoryRecords } from '../../src/stores/memory/records/memory-records.ts';
import { type RunningGateway, startGateway } from './gateway-client.ts';

export const SECRET = 'a secret of the tests, of 32 bytes';
export const AUDIENCE = 'millrace-tests';
export const ISSUER = 'https://issuer.example';

export interface TokenOptions {
  readonly key?: Uint8Array | CryptoKey;
  readonly header?: { readonly alg: string; readonly kid?: string };
  /** What to change in the claims; undefined removes one. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A token for an account that {@link startAskingGateway} takes, unless something is changed. */
export function token(account: string, options: TokenOptions = {}): Promise<string> {
  const { key = new TextEncoder().encode(SECRET), header = { alg: 'HS256' } } = options;
  const now = Math.floor(Date.now() / 1_000);
  const claims: JWTPayload = { sub: account, iss: ISSUER, aud: AUDIENCE, exp: now + 3_600 };
  return new SignJWT({ ...claims, ...options.claims }).setProtectedHeader(header).sign(key);
}

/** The header that carries a token. */
export async function bearer(account: string, options?: TokenOptions) {
  return { authorization: `Bearer ${await token(account, options)}` };
}

/** A gateway with records in memory that takes {@link token}. */
export function startAskingGateway(
  jwt: Partial<JwtOptions> = {},
  options: Partial<GatewayOptions> = {},
): Promise<RunningGateway> {
  return startGateway({
    authenticate: jwtAuthentication({
      ...(jwt.keys === undefined ? { secret: SECRET } : {}),
      audience: AUDIENCE,
      issuer: ISSUER,
      ...jwt,
    }),
    records: new MemoryRecords(),
    ...options,
  });
}

/** A JWT by hand, for those that no library makes. */
export function handmade(header: object, payload: object, signature = ''): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(payload)}.${signature}`;
}
