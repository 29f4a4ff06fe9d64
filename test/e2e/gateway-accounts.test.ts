/** Accounts over HTTP: registered, looked at, given another address, closed; and who may do that. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAccounts } from '../../src/accounts/accounts.ts';
import { accountLog } from '../../src/event/log-name.ts';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { MemoryRecords } from '../../src/stores/memory/records/memory-records.ts';
import { type RunningGateway, startGateway } from './gateway-client.ts';
import { bearer, startAskingGateway } from './tokens.ts';

let log: MemoryLog;
let records: MemoryRecords;
let running: RunningGateway;

beforeEach(async () => {
  log = new MemoryLog();
  records = new MemoryRecords();
  running = await startGateway(withAccounts());
});

afterEach(() => running.stop());

function withAccounts(options: Partial<GatewayOptions> = {}) {
  const accounts = createAccounts({ log, records, sweepInterval: 0 });
  return { log, records, accounts, ...options };
}

async function restartAsking(options: Partial<GatewayOptions> = {}): Promise<void> {
  await running.stop();
  log = new MemoryLog();
  running = await startAskingGateway({}, withAccounts(options));
}

type Headers = Record<string, string>;

async function ask(method: string, path: string, body?: unknown, headers: Headers = {}) {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await fetch(`${running.url}${path}`, { method, headers, ...text });
  const json = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, headers: answer.headers, json };
}

const register = (email: unknown, headers?: Headers) =>
  ask('POST', '/accounts', { email, name: 'Han' }, headers);

test('an account is registered, and can be found where Location says', async () => {
  const answer = await register('Han@example.org');
  expect(answer.status).toBe(201);
  expect(answer.json).toEqual({ id: '1', email: 'Han@example.org', status: 'open' });
  expect(answer.headers.get('location')).toBe('/accounts/1');
  expect((await ask('GET', '/accounts/1')).json).toEqual(answer.json);
  const { events } = await log.read(accountLog('1'));
  expect(events).toMatchObject([
    { type: 'AccountRegistered', payload: { email: 'Han@example.org', name: 'Han' } },
  ]);
  expect(await records.get('email:han@example.org')).toBe('1');
});

test('a taken address is refused, and it is not said who has it', async () => {
  await register('han@example.org');
  const refused = await register('HAN@example.org');
  expect(refused.status).toBe(409);
  expect(refused.json).toMatchObject({ code: 'address_taken', status: 409 });
  expect(JSON.stringify(refused.json)).not.toMatch(/"1"|account 1|account:1|han@/i);
});

test.each([
  'han',
  '@example.org',
  'han@',
  'han@example',
  'a b@example.org',
  '',
  `${'a'.repeat(250)}@example.org`,
  7,
  null,
  undefined,
  { a: 1 },
])('%j is no address: 422 with the field and the rule', async (email) => {
  const refused = await register(email);
  expect(refused.status).toBe(422);
  expect(refused.json).toMatchObject({ code: 'invalid_email', field: 'email' });
  expect(refused.json.detail).toMatch(/^email must /);
});

test.each([
  ['{', 'invalid_json'],
  ['[]', 'invalid_input'],
  ['"han@example.org"', 'invalid_input'],
])('the body %s is refused', async (body, code) => {
  const answer = await fetch(`${running.url}/accounts`, { method: 'POST', body });
  expect([answer.status, await answer.json()]).toMatchObject([400, { code }]);
});

test('another address, and then none', async () => {
  await register('han@example.org');
  const changed = await ask('PATCH', '/accounts/1', { email: 'leia@example.org' });
  expect(changed).toMatchObject({ status: 200, json: { id: '1', email: 'leia@example.org' } });
  expect((await register('han@example.org')).json).toMatchObject({ id: '2' });
  expect(await ask('PATCH', '/accounts/1', { email: 'han@example.org' })).toMatchObject({
    status: 409,
    json: { code: 'address_taken' },
  });
  const closed = await ask('DELETE', '/accounts/1');
  expect(closed).toMatchObject({ status: 200, json: { id: '1', status: 'closed' } });
  expect((await register('leia@example.org')).json).toMatchObject({ id: '3' });
  const types = (await log.read(accountLog('1'))).events.map(({ type }) => type);
  expect(types).toEqual(['AccountRegistered', 'EmailChanged', 'AccountClosed']);
});

test('what cannot be done with an account', async () => {
  await register('han@example.org');
  for (const [method, path, body, status, code] of [
    ['GET', '/accounts/9', undefined, 404, 'account_not_found'],
    ['PATCH', '/accounts/9', { email: 'a@example.org' }, 404, 'account_not_found'],
    ['DELETE', '/accounts/9', undefined, 404, 'account_not_found'],
    ['GET', '/accounts/a%20b', undefined, 400, 'invalid_account'],
    ['PATCH', '/accounts/1', { email: 'a' }, 422, 'invalid_email'],
    ['PATCH', '/accounts/1', { mail: 'a@example.org' }, 400, 'invalid_input'],
    ['PUT', '/accounts/1', {}, 405, 'method_not_allowed'],
    ['GET', '/accounts', undefined, 405, 'method_not_allowed'],
  ] as const) {
    expect(await ask(method, path, body)).toMatchObject({ status, json: { code } });
  }
  await ask('DELETE', '/accounts/1');
  expect(await ask('DELETE', '/accounts/1')).toMatchObject({ json: { code: 'account_closed' } });
});

test('where identities are known, an admin registers, and everybody else if that is said', async () => {
  await restartAsking();
  expect(await register('han@example.org')).toMatchObject({ status: 401 });
  expect(await register('han@example.org', await bearer('1'))).toMatchObject({
    status: 403,
    json: { code: 'forbidden' },
  });
  const admin = await bearer('backend', { claims: { admin: true } });
  expect(await register('han@example.org', admin)).toMatchObject({ status: 201 });
  await restartAsking({ registration: 'open' });
  expect(await register('leia@example.org')).toMatchObject({ status: 201 });
  await running.stop();
  log = new MemoryLog();
  running = await startGateway(withAccounts({ registration: 'admin' }));
  expect(await register('luke@example.org')).toMatchObject({ status: 403 });
});

test('an account is looked at and changed by its own and by an admin, and by nobody else', async () => {
  await restartAsking();
  const admin = await bearer('backend', { claims: { admin: true } });
  const { id } = (await register('han@example.org', admin)).json as { id: string };
  const path = `/accounts/${id}`;
  const strangers = [
    [401, {}],
    [403, await bearer('9999')],
    [403, await bearer('9999', { claims: { append: ['*'] } })],
  ] as const;
  for (const [status, headers] of strangers) {
    expect(await ask('GET', path, undefined, headers)).toMatchObject({ status });
    const change = { email: 'mine@example.org' };
    expect(await ask('PATCH', path, change, headers)).toMatchObject({ status });
    expect(await ask('DELETE', path, undefined, headers)).toMatchObject({ status });
  }
  // Who may read the log knows the address anyway; to change it is another thing.
  const reader = await bearer('9999', { claims: { logs: ['account:*'] } });
  expect(await ask('GET', path, undefined, reader)).toMatchObject({ status: 200 });
  expect(await ask('DELETE', path, undefined, reader)).toMatchObject({ status: 403 });

  const own = await bearer(id);
  expect(await ask('GET', path, undefined, own)).toMatchObject({ status: 200 });
  expect(await ask('PATCH', path, { email: 'a@example.org' }, own)).toMatchObject({ status: 200 });
  expect(await ask('DELETE', path, undefined, admin)).toMatchObject({ status: 200 });
});

test('where everybody may register, an address may so often, whatever comes of it', async () => {
  const limits = { registrationRate: 3 };
  await restartAsking({ registration: 'open', trustProxy: true, limits });
  const from = (address: string) => ({ 'x-forwarded-for': address });
  expect(await register('han@example.org', from('192.0.2.1:2001'))).toMatchObject({ status: 201 });
  expect(await register('han@example.org', from('192.0.2.1:2002'))).toMatchObject({ status: 409 });
  expect(await register('no address', from('[::ffff:192.0.2.1]:2'))).toMatchObject({ status: 422 });
  const refused = await register('leia@example.org', from('192.0.2.1'));
  expect(refused).toMatchObject({
    status: 429,
    json: {
      code: 'rate_limited',
      detail: 'address:192.0.2.1 may register 3 accounts an hour (--registration-rate)',
    },
  });
  const retryAfter = Number(refused.headers.get('retry-after'));
  expect(retryAfter).toBeGreaterThan(1_190);
  expect(retryAfter).toBeLessThanOrEqual(1_200);
  // Who is refused has its body not even read, and others are not touched by that.
  const large = { email: 'luke@example.org', more: 'x'.repeat(1_000_000) };
  expect(await ask('POST', '/accounts', large, from('192.0.2.1'))).toMatchObject({ status: 429 });
  expect(await register('leia@example.org', from('192.0.2.2'))).toMatchObject({ status: 201 });
  expect(await records.get('account_id')).toBe('2');
});

test('an admin registers as often as it may append', async () => {
  await restartAsking({ limits: { registrationRate: 1, appendRate: 0.001, appendBurst: 3 } });
  const admin = await bearer('backend', { claims: { admin: true } });
  for (const name of ['han', 'leia', 'luke']) {
    expect(await register(`${name}@example.org`, admin)).toMatchObject({ status: 201 });
  }
  const refused = await register('ben@example.org', admin);
  expect(refused).toMatchObject({ status: 429, json: { code: 'rate_limited' } });
  expect(refused.json.detail).toMatch(/^account:backend may append /);
});

test('changing and closing an account are charged like appends, also when they are refused', async () => {
  await restartAsking({ limits: { appendRate: 0.001, appendBurst: 4 } });
  const admin = await bearer('backend', { claims: { admin: true } });
  await register('han@example.org', admin);
  const own = await bearer('1');
  const change = (email: string) => ask('PATCH', '/accounts/1', { email }, own);
  expect(await change('a@example.org')).toMatchObject({ status: 200 });
  expect(await change('nothing')).toMatchObject({ status: 422 });
  expect(await ask('PATCH', '/accounts/1', { mail: 1 }, own)).toMatchObject({ status: 400 });
  const event = { type: 'T', payload: 1 };
  const append = () => ask('POST', '/accounts/1/events', event, own);
  expect(await append()).toMatchObject({ status: 201 });
  for (const refused of [
    append(),
    change('b@example.org'),
    ask('DELETE', '/accounts/1', undefined, own),
  ]) {
    expect(await refused).toMatchObject({ status: 429, json: { code: 'rate_limited' } });
  }
  expect((await ask('GET', '/accounts/1', undefined, own)).json).toMatchObject({
    email: 'a@example.org',
    status: 'open',
  });
});

test('a gateway without accounts has no such addresses', async () => {
  const plain = await startGateway();
  expect((await fetch(`${plain.url}/accounts`, { method: 'POST', body: '{}' })).status).toBe(404);
  await plain.stop();
});
