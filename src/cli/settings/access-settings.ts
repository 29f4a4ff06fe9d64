/** The settings about who may connect, and what they may do. */

import type { WhoMayRegister } from '../../gateway/http/account-keeper.ts';
import { type AppendRule, isTypePattern, TYPE_RULE } from '../../gateway/identity/authorization.ts';
import { SESSION_ID } from '../../gateway/identity/cookie-session.ts';
import type { Setting } from './setting.ts';
import { duration, oneOf, text, type ValueKind } from './values.ts';

/** How the gateway finds out who somebody is. */
export type AuthMode = 'none' | 'jwt' | 'session';

/** Where the keys of an issuer are. */
export type KeySetPlace =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly url: URL };

export interface AccessSettings {
  readonly auth: AuthMode;
  readonly append: AppendRule | undefined;
  readonly appendTypes: readonly string[];
  readonly registration: WhoMayRegister | undefined;
  readonly jwtSecret: string | undefined;
  readonly jwtSecretFile: string | undefined;
  readonly jwks: KeySetPlace | undefined;
  readonly jwtIssuer: string | undefined;
  readonly jwtAudience: string | undefined;
  readonly jwtTolerance: number;
  readonly tokenCookie: string | undefined;
  readonly sessionCookie: string;
  readonly sessionKey: string;
  readonly sessionField: string | undefined;
}

const HOUR = 3_600_000;
const LOOPBACK_URL = /^http:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])[:/]/;

const keySetPlace: ValueKind<KeySetPlace> = {
  takes: 'a file with a JWK set, or its URL, which must be https:// (http:// for loopback)',
  parse(given) {
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(given)) return { kind: 'file', path: given };
    if (!/^https:\/\//i.test(given) && !LOOPBACK_URL.test(given)) return undefined;
    return URL.canParse(given) ? { kind: 'url', url: new URL(given) } : undefined;
  },
};

const cookieName: ValueKind<string> = {
  takes: 'the name of a cookie',
  parse: (given) => (/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(given) ? given : undefined),
};

const appendType: ValueKind<string> = {
  takes: TYPE_RULE,
  parse: (given) => (isTypePattern(given) ? given : undefined),
};

const sessionKey: ValueKind<string> = {
  takes: `a key with ${SESSION_ID} in it once and not at its start, like session:${SESSION_ID}`,
  parse: (given) => (given.split(SESSION_ID).length === 2 && given[0] !== '{' ? given : undefined),
};

export const ACCESS_SETTINGS = {
  auth: {
    flag: 'auth',
    placeholder: 'mode',
    group: 'Access:',
    help: 'who connects: none (everybody is who the address says), jwt (a token) or session (a cookie)',
    variables: ['MILLRACE_AUTH'],
    kind: oneOf(['none', 'jwt', 'session'] as const),
    fallback: 'none',
  },
  append: {
    flag: 'append',
    placeholder: 'whose',
    group: 'Access:',
    help: 'accounts may append to their own log, to that of any account, or to none (default: own; any without --auth)',
    variables: ['MILLRACE_APPEND'],
    kind: oneOf(['own', 'any', 'none'] as const),
  },
  appendTypes: {
    flag: 'append-types',
    placeholder: 'category=type',
    group: 'Access:',
    help: 'only such events may be appended, like room=Said, or room=* for all of a category; may be repeated',
    variables: ['MILLRACE_APPEND_TYPES'],
    kind: appendType,
    repeatable: true,
  },
  registration: {
    flag: 'registration',
    placeholder: 'by',
    group: 'Access:',
    help: 'who may register accounts: open (everybody) or admin (default: admin; open without --auth)',
    variables: ['MILLRACE_REGISTRATION'],
    kind: oneOf(['open', 'admin'] as const),
  },
  // A command line is no place for a secret: everybody on the machine can read it.
  jwtSecret: {
    group: 'Access:',
    placeholder: 'secret',
    help: 'the secret of HS256',
    variables: ['MILLRACE_JWT_SECRET'],
    kind: text('a secret'),
  },
  jwtSecretFile: {
    flag: 'jwt-secret-file',
    placeholder: 'file',
    group: 'Access:',
    help: 'jwt: the secret of HS256, 32 bytes or more; MILLRACE_JWT_SECRET is the secret itself',
    variables: ['MILLRACE_JWT_SECRET_FILE'],
    kind: text('a file'),
  },
  jwks: {
    flag: 'jwks',
    placeholder: 'file|url',
    group: 'Access:',
    help: 'jwt: the public keys of RS256, ES256 or EdDSA, as a JWK set',
    variables: ['MILLRACE_JWKS'],
    kind: keySetPlace,
  },
  jwtIssuer: {
    flag: 'jwt-issuer',
    placeholder: 'iss',
    group: 'Access:',
    help: 'jwt: the issuer that tokens must name',
    variables: ['MILLRACE_JWT_ISSUER'],
    kind: text('the issuer of tokens'),
  },
  jwtAudience: {
    flag: 'jwt-audience',
    placeholder: 'aud',
    group: 'Access:',
    help: 'jwt: the audience that tokens must name; without it, they must name none',
    variables: ['MILLRACE_JWT_AUDIENCE'],
    kind: text('the audience of tokens'),
  },
  jwtTolerance: {
    flag: 'jwt-tolerance',
    placeholder: 'duration',
    group: 'Access:',
    help: 'jwt: how far the clocks of issuer and gateway may be apart',
    variables: ['MILLRACE_JWT_TOLERANCE'],
    kind: duration(HOUR, 'not at all'),
    fallback: '5s',
  },
  tokenCookie: {
    flag: 'token-cookie',
    placeholder: 'name',
    group: 'Access:',
    help: 'jwt: a cookie that may carry the token too',
    variables: ['MILLRACE_TOKEN_COOKIE'],
    kind: cookieName,
  },
  sessionCookie: {
    flag: 'session-cookie',
    placeholder: 'name',
    group: 'Access:',
    help: 'session: the cookie that holds the ID of the session',
    variables: ['MILLRACE_SESSION_COOKIE'],
    kind: cookieName,
    fallback: 'session',
  },
  sessionKey: {
    flag: 'session-key',
    placeholder: 'key',
    group: 'Access:',
    help: 'session: the key in the store of what says whose session it is',
    variables: ['MILLRACE_SESSION_KEY'],
    kind: sessionKey,
    fallback: `session:${SESSION_ID}`,
  },
  sessionField: {
    flag: 'session-field',
    placeholder: 'name',
    group: 'Access:',
    help: 'session: what stands there is JSON, or a hash in Redis, with the account here, as in user.id',
    variables: ['MILLRACE_SESSION_FIELD'],
    kind: text('the name of a field'),
  },
} as const satisfies {
  readonly [Name in keyof AccessSettings]: Setting<
    AccessSettings[Name] extends readonly (infer Item)[] ? Item : AccessSettings[Name]
  >;
};
