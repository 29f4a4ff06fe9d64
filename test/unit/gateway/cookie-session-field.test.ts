/** Where in a session's record the account is looked for. */
import { expect, test } from 'vitest';
import { cookieSession } from '../../../src/gateway/identity/cookie-session.ts';

async function accountIn(record: unknown, field: string): Promise<string | undefined> {
  const records = { get: async () => JSON.stringify(record) };
  const headers = { cookie: 'session=abc' };
  const request = new Request('http://localhost/', { headers });
  const identity = await Promise.resolve(cookieSession({ records, field })(request)).catch(
    (error: { code?: unknown }) => {
      expect(error.code).toBe('unauthenticated');
      return undefined;
    },
  );
  return identity?.account;
}

test.each([
  ['id', { id: '1' }, '1'],
  ['user.id', { user: { id: '1' } }, '1'],
  ['user.id', { 'user.id': '1' }, '1'],
  ['user.id', { user: { id: '1' }, 'user.id': '2' }, '1'],
  ['user.id', { user: { name: 'Han' }, 'user.id': '2' }, '2'],
  ['user.id', { user: '{"id":1}', 'user.id': '2' }, '2'],
  ['a.b.c', { 'a.b': { c: '1' } }, '1'],
  ['a.b.c', { a: { 'b.c': '1' } }, '1'],
  ['user.id', { user: '1' }, undefined],
  ['user.id', { id: '1' }, undefined],
  ['user.id', { 'user.id': null }, undefined],
  ['user.id', null, undefined],
  ['user..id', { user: { id: '1' } }, undefined],
  ['user.toString', { user: {} }, undefined],
  ['constructor.name', {}, undefined],
])('%s in %j is %j', async (field, record, account) => {
  expect(await accountIn(record, field)).toBe(account);
});
