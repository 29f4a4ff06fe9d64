/** `millrace serve` that asks who you are, as a process over both stores. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { RedisServer } from '../support/redis-server.ts';
import {
  type Command,
  type CommandOptions,
  listensOn,
  root,
  runMillrace,
  temporaryFolder,
} from './command.ts';
import { Client, refusedUpgrade } from './gateway-client.ts';
import { AUDIENCE, bearer, ISSUER, SECRET } from './tokens.ts';

beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')]);
}, 60_000);

const JWT = ['--auth', 'jwt', '--jwt-audience', AUDIENCE, '--jwt-issuer', ISSUER];

function serve(folder: string, flags: readonly string[], options: CommandOptions = {}): Command {
  const quiet = ['--log-level', 'trace'];
  return runMillrace(['serve', '--port', '0', ...quiet, ...flags], { cwd: folder, ...options });
}

const post = (url: string, headers: Record<string, string> = {}, body: unknown = {}) =>
  fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });

async function register(url: string, email: string): Promise<Response> {
  return post(`${url}/accounts`, await bearer('backend', { claims: { admin: true } }), { email });
}

test('jwt with a secret from a file: from a registration to a socket by ticket', async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'secret'), `${SECRET}\n`);
  await using server = serve(folder.path, [...JWT, '--jwt-secret-file', 'secret']);
  const url = await listensOn(server);
  await server.printed(/access +a JSON Web Token/);

  const registered = await register(url, 'han@example.org');
  expect([registered.status, registered.headers.get('location')]).toEqual([201, '/accounts/1']);
  expect((await register(url, 'Han@example.org')).status).toBe(409);
  expect((await register(url, 'han')).status).toBe(422);

  const answer = await post(`${url}/tickets`, await bearer('1'));
  const { ticket } = (await answer.json()) as { ticket: string };
  const client = await Client.open(`${url.replace('http', 'ws')}/ws?format=json&ticket=${ticket}`);
  await client.frame(({ op }) => op === 'live');
  expect(client.events.map(({ type }) => type)).toEqual(['AccountRegistered']);
  await client.close();
  const again = await refusedUpgrade(`${url.replace('http', 'ws')}/ws?ticket=${ticket}`);
  expect(again.status).toBe(401);
  const written = server.stdout + server.stderr;
  expect(written).not.toContain(ticket);
  expect(written).not.toContain(SECRET);
});

test('the secret is neither in the command line nor in the title of the process', async () => {
  using folder = temporaryFolder();
  const env = { MILLRACE_JWT_SECRET: SECRET };
  await using server = serve(folder.path, JWT, { env });
  const url = await listensOn(server);
  expect((await fetch(`${url}/accounts/1/events`, { headers: await bearer('1') })).status).toBe(
    200,
  );
  const { pid } = server.child;
  const shown = execFileSync('ps', ['-ww', '-o', 'comm=,args=', '-p', `${pid}`], {
    encoding: 'utf8',
  });
  expect(shown).toContain('serve');
  expect(shown).not.toContain(SECRET);
});

test('a proxy that writes Forwarded is believed when that is said, and registrations are limited', async () => {
  using folder = temporaryFolder();
  const flags = ['--trust-proxy', 'forwarded', '--registration-rate', '1'];
  await using server = serve(folder.path, flags);
  const url = await listensOn(server);
  const from = async (address: string) => {
    const headers = { forwarded: `for="${address}"`, 'x-forwarded-for': `${Math.random()}` };
    return (await post(`${url}/accounts`, headers, { email: 'x@example.org' })).status;
  };
  const first = '192.0.2.1:2001';
  expect([await from(first), await from('192.0.2.1'), await from('[2001:db8::1]:1')]).toEqual([
    201, 429, 409,
  ]);
});

test('session: what another program put into Redis, with the article’s append to any', async () => {
  using folder = temporaryFolder();
  await using redis = await RedisServer.start();
  execFileSync('redis-cli', ['-p', `${redis.port}`, 'SET', 'session:abc', '1', 'EX', '60']);
  const flags = ['--auth', 'session', '--append', 'any', '--store', redis.url()];
  await using server = serve(folder.path, flags);
  const url = await listensOn(server);
  const headers = { cookie: 'session=abc' };
  const client = await Client.open(`${url.replace('http', 'ws')}/ws`, { headers });
  client.send('event:2');
  client.send('ping');
  expect(await client.received(1)).toEqual(['pong']);
  await expect
    .poll(() =>
      execFileSync('redis-cli', ['-p', `${redis.port}`, 'XRANGE', 'account:2:log', '-', '+'], {
        encoding: 'utf8',
      }),
    )
    .toContain('{"from":"account:1"}');
  expect((await fetch(`${url}/accounts/2/events`, { headers })).status).toBe(403);
  // Whoever knows how logs are named could name one.
  execFileSync('redis-cli', ['-p', `${redis.port}`, 'XADD', 'session:5:log', '*', 'type', 'T']);
  const named = { headers: { cookie: 'session=5:log' } };
  expect((await fetch(`${url}/accounts/1/events`, named)).status).toBe(401);
  await client.close();
});

test('Redis: the user of the manual can register accounts and trade tickets', async () => {
  using folder = temporaryFolder();
  await using redis = await RedisServer.start();
  const manual = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
  const rule = /^ACL SETUSER millrace on >secret .*$/m.exec(manual)![0];
  execFileSync('redis-cli', ['-p', `${redis.port}`, ...rule.split(' ')]);
  const store = `redis://millrace:secret@127.0.0.1:${redis.port}`;
  const env = { MILLRACE_JWT_SECRET: SECRET };
  await using server = serve(folder.path, [...JWT, '--store', store], { env });
  const url = await listensOn(server);
  expect((await register(url, 'han@example.org')).status).toBe(201);
  const own = await bearer('1');
  const change = { method: 'PATCH', headers: own, body: '{"email":"leia@example.org"}' };
  expect((await fetch(`${url}/accounts/1`, change)).status).toBe(200);
  expect((await fetch(`${url}/accounts/1`, { method: 'DELETE', headers: own })).status).toBe(200);
  expect((await post(`${url}/tickets`, own)).status).toBe(201);
});
