import { expect, test } from 'vitest';
import { approachOf } from '../../../../src/gateway/identity/connection.ts';
import type { TrustProxy } from '../../../../src/gateway/identity/forwarded.ts';

const peer = { address: '192.0.2.1' };
const approach = (headers: Record<string, string>, trustProxy: TrustProxy, connection = peer) =>
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

const PROXY = { address: '192.0.2.1', origin: 'http://inside.example', hosts: ['inside.example'] };
const told = (header: string) =>
  approach({ host: 'inside.example', forwarded: header }, 'forwarded');

test.each([
  ['for=203.0.113.9', '203.0.113.9'],
  ['for=203.0.113.9:80', '203.0.113.9:80'],
  ['For="[2001:db8::1]:4711"', '[2001:db8::1]:4711'],
  ['for=198.51.100.7, for=203.0.113.9', '203.0.113.9'],
  ['for="a, for=b" , by=x;FOR = 1', 'unknown'],
  ['for="a, for=b" , by=x;FOR=1', '1'],
  ['proto=http;for="_gaz\\"elle";by=203.0.113.43', '_gaz"elle'],
  [';;for=1;', '1'],
])('Forwarded: %s', (header, address) => {
  expect(told(header)).toEqual({ ...PROXY, address });
});

test('Forwarded tells scheme and host too', () => {
  const header =
    'for=1;host=forged.example, for=203.0.113.9;proto=https;host="outside.example:8443"';
  expect(told(header)).toEqual({
    address: '203.0.113.9',
    origin: 'https://outside.example:8443',
    hosts: ['inside.example', 'outside.example:8443'],
  });
});

test('Forwarded that says nothing is as if there was no proxy', () => {
  for (const header of ['', ' ', ',', 'by=x']) expect(told(header)).toEqual(PROXY);
  expect(approach({ host: 'inside.example' }, 'forwarded')).toEqual(PROXY);
});

test('what a client writes before the proxy’s word cannot swallow it: then nobody is believed', () => {
  const ours = ['for=203.0.113.9;proto=https', 'for="[2001:db8::1]:4711";proto=https'];
  const theirs = ['for="', 'for="x', 'for="\\', '"', 'for', 'for=1;for=2', 'a b', 'for="x"y', '='];
  for (const header of theirs.flatMap((start) => ours.map((end) => `${start}, ${end}`))) {
    expect([header, told(header)]).toEqual([header, { ...PROXY, address: 'unknown' }]);
  }
});

test('only the headers that the proxy writes are listened to', () => {
  const both = { ...forwarded, forwarded: 'for=192.0.2.66;host=forged.example' };
  expect(approach(both, true)).toEqual(approach(forwarded, true));
  expect(approach(both, 'forwarded')).toMatchObject({ address: '192.0.2.66' });
  expect(approach({ ...forwarded }, 'forwarded')).toEqual(approach(forwarded, false));
});

test('a header that is made to be slow to read is read in time', () => {
  const long = ['"', ' ', '\\', ',', ';', 'a=', 'a="', '="', '\t ', ', '];
  const began = performance.now();
  for (const part of long.flatMap((one) =>
    long.map((other) => one.repeat(50_000) + other.repeat(50_000)),
  )) {
    approach({ forwarded: `for=1, ${part}!` }, 'forwarded');
    approach({ 'x-forwarded-for': part }, true);
  }
  // 100 of them: a second or two where all are linear, minutes where one is quadratic.
  expect(performance.now() - began).toBeLessThan(10_000);
});
