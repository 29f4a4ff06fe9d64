/**
 * JSON Web Tokens (RFC 7519) as proof of identity. Which algorithms count is decided by the kind
 * of key that the gateway was given, never by the token:
 *
 *   a secret     HS256
 *   a key set    RS256 with RSA keys, ES256 with P-256 keys, EdDSA with Ed25519 keys
 *
 * so `alg: none` and a public key used as an HMAC secret find nothing that would check them.
 */
import {
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { InvalidInput, MillraceError } from '../../event/error.ts';
import { ACCOUNT_ID_RULE, accountIdOf } from '../../event/log-name.ts';
import { protocolError } from '../../protocol/problem.ts';
import type { Logger } from '../logger.ts';
import { isTypePattern, TYPE_RULE } from './authorization.ts';
import { tokenOf } from './credentials.ts';
import {
  type Authenticate,
  BEARER_CHALLENGE,
  type Claims,
  type Identity,
  Unauthenticated,
} from './identity.ts';
import { RemoteKeys } from './remote-keys.ts';

/** A JWK set (RFC 7517 section 5), as JSON has it. */
export interface JsonWebKeys {
  readonly keys: readonly { readonly kty?: string; readonly [member: string]: unknown }[];
}

export interface JwtOptions {
  /** The secret of HS256: at least 32 bytes (RFC 7518 section 3.2). This, or `keys`. */
  readonly secret?: string | Uint8Array | undefined;
  /**
   * The public keys: a JWK set (RFC 7517), or where to get it. From there it is fetched when it is
   * needed, and anew when it is 5 minutes old or does not have the key of a token, at most every
   * 30 seconds. While it cannot be had (it must come whole within 5 s, and have at most 256 KiB),
   * the keys that are known go on counting.
   */
  readonly keys?: JsonWebKeys | URL | undefined;
  /** The `iss` that tokens must have. */
  readonly issuer?: string | undefined;
  /** An `aud` that tokens must have. Without it, only tokens that name no audience are taken. */
  readonly audience?: string | undefined;
  /** How far the clocks of issuer and gateway may be apart, in milliseconds. Default 5,000. */
  readonly tolerance?: number | undefined;
  /** A cookie that may carry the token too. Default: none. */
  readonly cookie?: string | undefined;
  /** The time in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** Told when keys cannot be fetched, and when they can again. Default: silent. */
  readonly logger?: Logger | undefined;
}

export const MIN_SECRET_BYTES = 32;
const DEFAULT_TOLERANCE = 5_000;
/** More than any token needs; whatever is longer is not even looked at. */
const MAX_TOKEN_LENGTH = 16_384;
const KEY_SET_ALGORITHMS = ['RS256', 'ES256', 'EdDSA', 'Ed25519'];

type Verify = (token: string, options: JWTVerifyOptions) => Promise<{ payload: JWTPayload }>;

/**
 * Takes tokens whose `sub` is the account. They must have `exp`; the claims `logs`, `append`,
 * `types` and `admin` are those of {@link Claims}.
 * @throws InvalidInput when secret or keys are not what they must be
 */
export function jwtAuthentication(options: JwtOptions): Authenticate {
  const { issuer, audience, cookie, tolerance = DEFAULT_TOLERANCE, clock = Date.now } = options;
  const verify = verifier(options);
  return async (request) => {
    const token = tokenOf(request, cookie);
    if (token === undefined) throw new Unauthenticated('a token is needed: Authorization: Bearer');
    if (token.length > MAX_TOKEN_LENGTH) throw invalid('the token is too long');
    const checks: JWTVerifyOptions = {
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
      clockTolerance: tolerance / 1_000,
      currentDate: new Date(clock()),
      requiredClaims: ['sub', 'exp'],
    };
    const { payload } = await verify(token, checks).catch((error: unknown) => {
      throw explained(error);
    });
    // RFC 7519 section 4.1.3: who does not find itself in the audience must refuse.
    if (audience === undefined && payload.aud !== undefined) {
      throw invalid('the token is for an audience, and this gateway was not told that it is one');
    }
    return identityOf(payload, tolerance);
  };
}

function verifier({ secret, keys, clock, logger }: JwtOptions): Verify {
  if ((secret === undefined) === (keys === undefined)) {
    throw new InvalidInput('secret', 'or keys must be given, and not both');
  }
  if (secret !== undefined) {
    const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret;
    if (bytes.length < MIN_SECRET_BYTES) {
      throw new InvalidInput('secret', `must be at least ${MIN_SECRET_BYTES} bytes`);
    }
    return (token, options) => jwtVerify(token, bytes, { ...options, algorithms: ['HS256'] });
  }
  const keySet =
    keys instanceof URL ? new RemoteKeys(keys, { clock, logger }).find : localKeys(keys!);
  return (token, options) => verifyByAny(token, keySet, options);
}

function localKeys(keys: JsonWebKeys): JWTVerifyGetKey {
  const some: unknown = keys.keys;
  if (!Array.isArray(some) || some.length === 0) {
    throw new InvalidInput('keys', 'must be a JWK set: an object with at least one key in keys');
  }
  for (const key of keys.keys) {
    if (key.kty === 'oct' || key.d !== undefined) {
      throw new InvalidInput('keys', 'must hold public keys only, and there is a secret one in it');
    }
  }
  return createLocalJWKSet(keys as JSONWebKeySet);
}

/** Where neither `kid` nor the kind of key tells which key it is, all that can be are tried. */
async function verifyByAny(token: string, keys: JWTVerifyGetKey, checks: JWTVerifyOptions) {
  const options = { ...checks, algorithms: KEY_SET_ALGORITHMS };
  try {
    return await jwtVerify(token, keys, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return await jwtVerify(token, key, options);
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** Says to the holder of a token what is wrong with it, and nothing about our keys. */
function explained(error: unknown): Error {
  if (error instanceof MillraceError) return error;
  if (error instanceof errors.JWTExpired) return invalid('the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error;
    if (reason === 'missing') return invalid(`the token must have the claim ${claim}`);
    if (claim === 'aud') return invalid('the token is for another audience');
    if (claim === 'iss') return invalid('the token is from another issuer');
    if (claim === 'nbf') return invalid('the token is not valid yet');
    return invalid(`the claim ${claim} of the token is not what it must be`);
  }
  if (error instanceof errors.JWKSNoMatchingKey)
    return invalid('the key of the token is not known');
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return invalid('the signature of the token is wrong');
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return invalid('the algorithm of the token is not accepted here');
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return invalid('the token is no JSON Web Token');
  }
  return protocolError('keys_unavailable', 'the keys of the issuer cannot be had right now');
}

function identityOf(payload: JWTPayload, tolerance: number): Identity {
  const { sub, exp } = payload;
  const account = accountIdOf(sub);
  if (account === undefined) throw invalid(`the claim sub is no account ID: it ${ACCOUNT_ID_RULE}`);
  const claims = claimsOf(payload);
  return {
    account,
    ...(Object.keys(claims).length === 0 ? {} : { claims }),
    expiresAt: exp! * 1_000 + tolerance,
  };
}

function claimsOf({ logs, append, types, admin }: JWTPayload): Claims {
  if (admin !== undefined && typeof admin !== 'boolean') {
    throw invalid('the claim admin must be true or false');
  }
  return {
    ...(logs === undefined ? {} : { logs: patterns('logs', logs) }),
    ...(append === undefined ? {} : { append: patterns('append', append) }),
    ...(types === undefined ? {} : { types: typePatterns(types) }),
    ...(admin === undefined ? {} : { admin }),
  };
}

function patterns(name: string, value: unknown): readonly string[] {
  if (isTexts(value)) return value;
  throw invalid(`the claim ${name} must be an array of log names or patterns like room:*`);
}

function typePatterns(value: unknown): readonly string[] {
  if (isTexts(value) && value.every(isTypePattern)) return value;
  throw invalid(`the claim types must be an array of ${TYPE_RULE}`);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** RFC 6750 section 3.1. */
function invalid(message: string): Unauthenticated {
  return new Unauthenticated(message, `${BEARER_CHALLENGE}, error="invalid_token"`);
}
