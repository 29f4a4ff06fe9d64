import { expect, test } from 'vitest';
import { originRule } from '../../../src/gateway/origin.ts';

test.each([
  'http://localhost',
  'http://localhost:3000',
  'https://app.localhost:8443',
  'http://127.0.0.1:4000',
  'http://127.1.2.3',
  'http://[::1]:4000',
])('%s is loopback', (origin) => {
  expect(originRule([])(origin)).toBe(true);
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
  expect(originRule([])(origin)).toBe(false);
});

test('others are allowed by name, or all of them', () => {
  const rule = originRule(['https://App.example.com/']);
  expect(rule('https://app.example.com')).toBe(true);
  expect(rule('https://example.com')).toBe(false);
  expect(rule('http://localhost')).toBe(true);
  expect(originRule(['*'])('https://anything.example')).toBe(true);
});
