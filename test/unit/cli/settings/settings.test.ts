import { expect, test } from 'vitest';
import { CommandFailure } from '../../../../src/cli/failure.ts';
import { resolveSettings, type Sources } from '../../../../src/cli/settings/resolve-settings.ts';

const resolve = (sources: Partial<Sources> = {}) =>
  resolveSettings({ flags: {}, environment: {}, ...sources });

function failure(sources: Partial<Sources>): CommandFailure {
  try {
    resolve(sources);
  } catch (error) {
    if (error instanceof CommandFailure) return error;
    throw error;
  }
  throw new Error('it was taken');
}

test('the defaults', () => {
  expect(resolve()).toEqual({
    store: { kind: 'embedded', folder: './millrace-data' },
    sweep: 1_000,
    appendWait: 5_000,
    host: '127.0.0.1',
    port: 4_000,
    allowOrigin: [],
    appendTypes: [],
    allowHost: [],
    trustProxy: false,
    insecure: false,
    auth: 'none',
    jwtTolerance: 5_000,
    sessionCookie: 'session',
    sessionKey: 'session:{id}',
    maxEvent: 1_048_576,
    maxAppend: 8_388_608,
    maxEvents: 1_000,
    maxFrame: 65_536,
    maxValues: 250_000,
    maxHeader: 16_384,
    maxSubscriptions: 100,
    appendRate: 1_000,
    appendBurst: 2_000,
    registrationRate: 100,
    maxSocketsPerAccount: 100,
    maxSocketsPerAddress: 1_000,
    maxConnections: 20_000,
    maxHalfOpen: 1_000,
    headerTimeout: 10_000,
    requestTimeout: 60_000,
    logLevel: 'info',
  });
});

test('a flag wins over the environment, that over .env, that over the default', () => {
  const dotEnv = 'PORT=3\nMILLRACE_SWEEP="3s" # a comment\n';
  expect(resolve({ dotEnv })).toMatchObject({ port: 3, sweep: 3_000, host: '127.0.0.1' });
  const environment = { PORT: '2' };
  expect(resolve({ dotEnv, environment })).toMatchObject({ port: 2, sweep: 3_000 });
  const flags = { port: '1' };
  expect(resolve({ dotEnv, environment, flags })).toMatchObject({ port: 1, sweep: 3_000 });
});

test('REDIS_ENDPOINT in the environment wins over a store in .env', () => {
  const settings = resolve({
    environment: { REDIS_ENDPOINT: 'redis://localhost:6379/2' },
    dotEnv: 'MILLRACE_STORE=./data',
  });
  expect(settings.store).toEqual({ kind: 'redis', url: 'redis://localhost:6379/2' });
});

test('MILLRACE_STORE wins over REDIS_ENDPOINT, and --store over both', () => {
  const environment = { MILLRACE_STORE: './data', REDIS_ENDPOINT: 'redis://localhost' };
  expect(resolve({ environment }).store).toEqual({ kind: 'embedded', folder: './data' });
  expect(resolve({ environment, flags: { store: 'rediss://a:b@c:1' } }).store).toEqual({
    kind: 'redis',
    url: 'rediss://a:b@c:1',
  });
});

test('an empty variable is as good as none, and what is overruled may be wrong', () => {
  expect(resolve({ environment: { PORT: '', REDIS_ENDPOINT: ' ' } }).port).toBe(4_000);
  expect(resolve({ environment: { PORT: 'x' }, flags: { port: '1' } }).port).toBe(1);
});

test('a proxy: trusted by the switch alone, or with the header that it writes', () => {
  const trusted = (value: string | true) => resolve({ flags: { 'trust-proxy': value } }).trustProxy;
  expect([trusted(true), trusted('forwarded'), trusted('false')]).toEqual([
    true,
    'forwarded',
    false,
  ]);
  const environment = { MILLRACE_TRUST_PROXY: 'Forwarded' };
  expect(resolve({ environment }).trustProxy).toBe('forwarded');
  const { message } = failure({ flags: { 'trust-proxy': 'x-real-ip' } });
  expect(message).toContain('--trust-proxy takes true (also without a value), false, or forwarded');
});

test('origins: repeated as a flag, between commas in a variable', () => {
  const allowOrigin = ['https://a.example', 'http://b.example:8080'];
  expect(resolve({ flags: { 'allow-origin': allowOrigin } })).toMatchObject({ allowOrigin });
  const environment = { MILLRACE_ALLOW_ORIGIN: 'https://a.example, http://b.example:8080' };
  expect(resolve({ environment })).toMatchObject({ allowOrigin });
});

test.each([
  [{ flags: { port: 'abc' } }, '--port takes a whole number from 0 to 65535', '"abc"'],
  [{ environment: { PORT: '70000' } }, 'PORT takes', '"70000"'],
  [{ dotEnv: 'PORT=http' }, 'PORT in .env takes', '"http"'],
  [{ flags: { sweep: '1' } }, '--sweep takes a duration like 500ms', '"1"'],
  [{ flags: { 'max-event': '1 mb' } }, '--max-event takes a size from 1 to 64mb', '"1 mb"'],
  [{ flags: { 'max-frame': '0' } }, '--max-frame takes', '"0"'],
  [{ flags: { 'log-level': 'loud' } }, '--log-level takes one of silent, fatal', '"loud"'],
  [{ flags: { 'allow-origin': ['example.com'] } }, '--allow-origin takes an origin', 'example.com'],
  [
    { flags: { store: 'http://x' } },
    '--store takes a folder, or a URL like redis://',
    '"http://x"',
  ],
  [{ flags: { store: '' } }, '--store takes a folder', '""'],
  [{ flags: { store: 'redis://h/abc' } }, '--store takes', '"redis://h/abc"'],
  [
    { environment: { REDIS_ENDPOINT: 'localhost:6379' } },
    'REDIS_ENDPOINT takes a URL like',
    'localhost',
  ],
  [{ environment: { MILLRACE_INSECURE: 'si' } }, 'MILLRACE_INSECURE takes true or false', '"si"'],
] as const)('a bad value names the setting, its rule and what came: %j', (sources, rule, value) => {
  const { message, exitCode } = failure(sources);
  expect(message).toContain(rule);
  expect(message).toContain(value);
  expect(exitCode).toBe(2);
});

test.each([
  'redis://donald:hunter2@host/abc',
  'redis://:hunter2@host:port',
  'http://donald:hunter2@host',
  'redis://donald:hun/ter2@hunter2@host:1/2/3',
  'redis://host/x?password=hunter2',
])('a password is not repeated: %s', (store) => {
  const { message } = failure({ flags: { store } });
  expect(message).toContain('://host');
  expect(message).not.toMatch(/donald|hun|ter2/);
});

test('an open gateway keeps to loopback unless told otherwise', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', '[::1]', 'localhost']) {
    expect(() => resolve({ flags: { host } })).not.toThrow();
  }
  for (const host of ['0.0.0.0', '::', '192.168.1.2', 'example.com', '127.evil.example']) {
    expect(failure({ flags: { host } }).message).toContain('--insecure');
    expect(resolve({ flags: { host, insecure: true } }).host).toBe(host);
  }
});
