import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { networkOf } from '../../../../src/gateway/identity/client-address.ts';

const IPV4 = 'address:192.0.2.7';

test.each([
  ['as it is', '192.0.2.7'],
  ['with a port (ALB, Azure)', '192.0.2.7:2001'],
  ['with another port', '192.0.2.7:65535'],
  ['with a hidden port (RFC 7239)', '192.0.2.7:_cloaked'],
  ['in brackets', '[192.0.2.7]:80'],
  ['in IPv6, as Node writes it', '::ffff:192.0.2.7'],
  ['in IPv6, in capitals', '::FFFF:192.0.2.7'],
  ['in IPv6, in hexadecimal', '::ffff:c000:207'],
  ['in IPv6, in full', '0:0:0:0:0:ffff:192.0.2.7'],
  ['in IPv6, in full and hexadecimal', '0000:0000:0000:0000:0000:FFFF:C000:0207'],
  ['in IPv6, in brackets', '[::ffff:192.0.2.7]'],
  ['in IPv6, with a port', '[0:0:0:0:0:ffff:c000:207]:2001'],
])('an IPv4 address %s: %s', (_how, address) => {
  expect(networkOf(address)).toBe(IPV4);
});

test.each([
  '2001:db8::1',
  '2001:DB8::1',
  '2001:0db8:0000:0000:0000:0000:0000:0001',
  '2001:db8:0:0:a:b:c:d',
  '2001:db8::192.0.2.7',
  '[2001:db8::1]',
  '[2001:db8::1]:2001',
  '[2001:db8::ffff]:_x.y-z',
  '2001:db8::1%eth0',
  '[2001:db8::1%eth0]:80',
])('the network of an IPv6 address: %s', (address) => {
  expect(networkOf(address)).toBe('address:2001:db8:0:0::/64');
});

test('other networks', () => {
  expect(networkOf('2001:db8:0:1:a:b:c:d')).toBe('address:2001:db8:0:1::/64');
  expect(networkOf('2001:0DB8::1:0:0:1')).toBe('address:2001:db8:0:0::/64');
  expect(networkOf('::1')).toBe('address:0:0:0:0::/64');
  expect(networkOf('fe80::1%eth0')).toBe('address:fe80:0:0:0::/64');
  expect(networkOf('1:2:3:4::')).toBe('address:1:2:3:4::/64');
});

test.each([
  '',
  'unknown',
  '_hidden',
  'localhost',
  '192.0.2',
  '192.0.2.256',
  '192.0.2.7.8',
  '192.0.2.07',
  '0x7f.0.0.1',
  '2130706433',
  '192.0.2.7:',
  '192.0.2.7:123456',
  '192.0.2.7:80:80',
  '[2001:db8::1',
  '2001:db8::1]',
  '[2001:db8::1]80',
  '2001:db8::1::2',
  '1:2:3:4:5:6:7:8:9',
  '::ffff:192.0.2.256',
  ':::',
  '::1/../',
  '::1]@[::2',
  'é',
  'x'.repeat(10_000),
])('%j is no address, and counts as one with all others', (address) => {
  expect(networkOf(address)).toBe('address:unknown');
});

/** The groups of an address in one of the many ways to write it. */
function spellingOf(groups: readonly number[], how: Spelling): string {
  const texts = groups.map((group) => {
    const text = group.toString(16).padStart(how.padded ? 4 : 1, '0');
    return how.upper ? text.toUpperCase() : text;
  });
  if (how.dotted) {
    const [high = 0, low = 0] = groups.slice(-2);
    const bytes = [high >> 8, high & 255, low >> 8, low & 255];
    texts.splice(-2, 2, bytes.join('.'));
  }
  let address = texts.join(':');
  if (how.shortened) address = address.replace(/(^|:)0+(:0+)+(:|$)/, '::');
  if (how.port) address = `[${address}]:1024`;
  return address;
}

interface Spelling {
  readonly padded: boolean;
  readonly upper: boolean;
  readonly dotted: boolean;
  readonly shortened: boolean;
  readonly port: boolean;
}

const spelling = fc.record({
  padded: fc.boolean(),
  upper: fc.boolean(),
  dotted: fc.boolean(),
  shortened: fc.boolean(),
  port: fc.boolean(),
});
const group = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.nat(0xffff));

test('one address is one, however it is written', () => {
  const address = fc.array(group, { minLength: 8, maxLength: 8 });
  const mapped = fc.tuple(group, group).map((low) => [0, 0, 0, 0, 0, 0xffff, ...low]);
  fc.assert(
    fc.property(fc.oneof(address, mapped), spelling, spelling, (groups, one, other) => {
      const bare = spellingOf(groups, { ...one, port: false });
      expect([bare, isIPv6(bare)]).toEqual([bare, true]);
      const network = networkOf(spellingOf(groups, one));
      expect(network).toBe(networkOf(spellingOf(groups, other)));
      expect(network).not.toBe('address:unknown');
    }),
  );
});
