import { expect, test } from 'vitest';
import { originRule } from '../../../../src/gateway/identity/origin.ts';

const open = originRule([], { loopback: true });

test.each([
  'http://localhost',
  'http://localhost:3000',
  'https://app.localhost:8443',
  'http://127.0.0.1:4000',
  'http://127.1.2.3',
  'http://[::1]:4000',
])('%s is loopback', (origin) => {
  expect(open(origin)).toBe('named');
  expect(originRule([], { loopback: false })(origin)).toBe('foreign');
});

test.each([
  'http://example.com',
  'http://localhost.example.com',
  'http://127.0.0.1.example.com',
  'http://128.0.0.1',
  'http://localhost@example.com',
  'http://example.com/localhost',
  'file://',
  'null',
  '',
])('%j is not', (origin) => {
  expect(open(origin)).toBe('foreign');
});

test('others are allowed by name, or all of them, which proves less', () => {
  const rule = originRule(['https://App.example.com/'], { loopback: true });
  expect(rule('https://app.example.com')).toBe('named');
  expect(rule('https://example.com')).toBe('foreign');
  expect(rule('http://localhost')).toBe('named');
  const all = originRule(['*', 'https://app.example.com'], { loopback: false });
  expect(all('https://anything.example')).toBe('anyone');
  expect(all('null')).toBe('anyone');
  expect(all('https://app.example.com')).toBe('named');
});

test('a page of the very origin that it asks is at home', () => {
  const rule = originRule([], { loopback: false });
  expect(rule('https://a.example', 'https://a.example')).toBe('named');
  expect(rule('https://a.example', 'http://a.example')).toBe('foreign');
  expect(rule('null', undefined)).toBe('foreign');
});
