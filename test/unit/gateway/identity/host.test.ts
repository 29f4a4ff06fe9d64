import { expect, test } from 'vitest';
import { hostRule } from '../../../../src/gateway/identity/host.ts';

test.each([
  'localhost',
  'LOCALHOST:4000',
  'localhost.',
  'app.localhost:3000',
  '127.0.0.1:4000',
  '[::1]:4000',
  '[fe80::1]',
  // No name, so nobody can have pointed it at us.
  '192.168.1.2:4000',
  '0x7f000001',
])('%s is answered', (host) => {
  expect(hostRule([])(host)).toBe(true);
});

test.each([
  '',
  'rebound.example',
  'rebound.example:4000',
  'localhost.rebound.example',
  '127.0.0.1.rebound.example',
  'localhost@rebound.example',
  'rebound.example#localhost',
  'rebound.example\\@localhost',
  'not a host',
])('%j is not', (host) => {
  expect(hostRule([])(host)).toBe(false);
});

test('names can be allowed, or all of them', () => {
  const rule = hostRule(['Millrace.internal']);
  expect(rule('millrace.internal:4000')).toBe(true);
  expect(rule('a.millrace.internal')).toBe(false);
  expect(hostRule(['*'])('anything.example')).toBe(true);
});
