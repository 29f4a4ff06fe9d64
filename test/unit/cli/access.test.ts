/** The settings about access: what goes together, and what is refused before anything is opened. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CommandFailure } from '../../../src/cli/failure.ts';
import { readAuthentication } from '../../../src/cli/settings/authentication.ts';
import {
  type Flags,
  resolveSettings,
  type Variables,
} from '../../../src/cli/settings/resolve-settings.ts';

const SECRET = 'a secret of the tests, of 32 bytes';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-access-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, 'some.file');
  writeFileSync(path, text);
  return path;
}

function failure(flags: Flags, environment: Variables = {}): string {
  try {
    readAuthentication(resolveSettings({ flags, environment }));
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    expect(error.exitCode).toBe(2);
    return error.message;
  }
  throw new Error('it was taken');
}

test.each<[Flags, Variables, string]>([
  [{ auth: 'jwt' }, {}, 'one of --jwt-secret-file'],
  [{ auth: 'jwt', jwks: './keys' }, { MILLRACE_JWT_SECRET: SECRET }, 'not more than one'],
  // Whoever sets a secret means it to be asked for.
  [{}, { MILLRACE_JWT_SECRET: SECRET }, 'MILLRACE_JWT_SECRET is set, and only counts with'],
  [{ auth: 'session', 'jwt-audience': 'a' }, {}, '--jwt-audience is set, and only counts with'],
  [{ 'session-field': 'a' }, {}, '--session-field is set, and only counts with --auth session'],
  [{ auth: 'session', insecure: true }, {}, '--insecure is set, and only counts with --auth none'],
  [{ append: 'own' }, {}, '--append own is set, and only counts with --auth jwt'],
  [{ 'append-types': ['room:Said'] }, {}, '--append-types takes category=type'],
  [{ append: 'nobody' }, {}, '--append takes one of own, any, none'],
  [{ auth: 'basic' }, {}, '--auth takes one of none, jwt, session'],
  [{ auth: 'jwt', jwks: 'http://id.example.com/keys' }, {}, '--jwks takes a file with a JWK set'],
  [{ auth: 'session', 'session-key': 'session' }, {}, '--session-key takes a key with {id}'],
  [{ auth: 'session', 'session-key': '{id}' }, {}, '--session-key takes a key with {id}'],
  [{ auth: 'session', 'session-cookie': 'a b' }, {}, '--session-cookie takes'],
  [{ 'allow-host': ['a:4000'] }, {}, '--allow-host takes a host name without port'],
])('%j and %j: refused', (flags, environment, text) => {
  const message = failure(flags, environment);
  expect(message).toContain(text);
  expect(message).not.toContain(SECRET);
});

test('a short secret is refused, and never shown', () => {
  const short = 'hunter2';
  expect(failure({ auth: 'jwt' }, { MILLRACE_JWT_SECRET: short })).toMatch(
    /^MILLRACE_JWT_SECRET cannot be used: secret must be at least 32 bytes\.$/,
  );
  const path = file(`${short}\n`);
  const message = failure({ auth: 'jwt', 'jwt-secret-file': path });
  expect(message).toContain(`--jwt-secret-file ${path} cannot be used: secret must be at least`);
  expect(message).not.toContain(short);
});

test.each([
  ['not JSON', 'is not JSON'],
  ['null', 'JWK set'],
  ['{"keys":[]}', 'JWK set'],
  ['{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}', 'public keys only'],
  ['{"keys":[{"kty":"EC","crv":"P-256","x":"a","y":"b","d":"c2VjcmV0"}]}', 'public keys only'],
])('a key set that is %s is refused', (text, reason) => {
  const message = failure({ auth: 'jwt', jwks: file(text) });
  expect(message).toContain(reason);
  expect(message).not.toContain('c2VjcmV0');
});

test('files that are not there are named', () => {
  for (const flag of ['jwks', 'jwt-secret-file']) {
    const path = join(folder, 'missing');
    expect(failure({ auth: 'jwt', [flag]: path })).toContain(`--${flag} ${path} cannot be used`);
  }
});

test('what an open gateway does anyway may be said', () => {
  const settings = resolveSettings({ flags: { auth: 'none', append: 'any' }, environment: {} });
  expect(settings).toMatchObject({ auth: 'none', append: 'any', appendTypes: [] });
});

test('what clients may append can be narrowed, also in an open gateway', () => {
  const flags = { append: 'none', 'append-types': ['room=Said', 'room=Left'] };
  const narrow = { append: 'none', appendTypes: ['room=Said', 'room=Left'] };
  expect(resolveSettings({ flags, environment: {} })).toMatchObject(narrow);
  const environment = {
    MILLRACE_AUTH: 'session',
    MILLRACE_APPEND: 'none',
    MILLRACE_APPEND_TYPES: 'room=Said, room=Left',
  };
  expect(resolveSettings({ flags: {}, environment })).toMatchObject(narrow);
});

test('with authentication, any host may be listened on', () => {
  for (const auth of ['jwt', 'session']) {
    const environment = auth === 'jwt' ? { MILLRACE_JWT_SECRET: SECRET } : {};
    const settings = resolveSettings({ flags: { auth, host: '0.0.0.0' }, environment });
    expect(settings.host).toBe('0.0.0.0');
  }
});
