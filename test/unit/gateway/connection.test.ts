import { expect, test } from 'vitest';
import { approachOf } from '../../../src/gateway/connection.ts';

const peer = { address: '192.0.2.1' };
const approach = (headers: Record<string, string>, trustProxy: boolean, connection = peer) =>
  approachOf({ url: '/', headers: new Headers(headers) }, connection, trustProxy);

const forwarded = {
  host: 'inside.example:4000',
  'x-forwarded-for': '198.51.100.7, 203.0.113.9',
  'x-forwarded-proto': 'HTTPS',
  'x-forwarded-host': 'outside.example',
};

test('without a proxy, what it would say is not listened to', () => {
  expect(approach(forwarded, false)).toEqual({
    address: '192.0.2.1',
    origin: 'http://inside.example:4000',
    hosts: ['inside.example:4000'],
  });
});

test('with one, the last of its words counts', () => {
  expect(approach(forwarded, true)).toEqual({
    address: '203.0.113.9',
    origin: 'https://outside.example',
    hosts: ['inside.example:4000', 'outside.example'],
  });
});

test('what it leaves out is as if there was none', () => {
  const headers = { host: 'Inside.example:443', 'x-forwarded-for': ' ', 'x-forwarded-proto': '' };
  expect(approach(headers, true, { ...peer, secure: true } as typeof peer)).toEqual({
    address: '192.0.2.1',
    origin: 'https://inside.example',
    hosts: ['Inside.example:443'],
  });
});

test.each([
  [{}],
  [{ host: '' }],
  [{ host: 'a b' }],
  [{ host: 'x', 'x-forwarded-proto': 'javascript' }],
])('%j makes no origin', (headers) => {
  expect(approach(headers, true).origin).toBeUndefined();
});
