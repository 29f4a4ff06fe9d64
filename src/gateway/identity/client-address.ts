/**
 * The address of a client, as limits count it: one spelling for one address, whoever wrote it.
 *
 *   192.0.2.7   192.0.2.7:2001   ::ffff:192.0.2.7   [0:0:0:0:0:FFFF:C000:0207]:2001   →  192.0.2.7
 *   2001:db8::1   [2001:0DB8::1]:2001   2001:db8::1%eth0                    →  2001:db8:0:0::/64
 *   unknown   _hidden   anything else                                                →  unknown
 */

// RFC 7239 section 6: a port may be hidden as well, behind a name with _.
const BRACKETED = /^\[([^\]]*)\](?::(?:\d{1,5}|_[\w.-]+))?$/;
const WITH_PORT = /^([\d.]+):(?:\d{1,5}|_[\w.-]+)$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const MAPPED = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/;

/**
 * What counts as one client: an IPv4 address, or the /64 network of an IPv6 address, of which a
 * single household has as many addresses as it likes. Whatever is no address counts as one.
 */
export function networkOf(address: string): string {
  const bare = BRACKETED.exec(address)?.[1] ?? WITH_PORT.exec(address)?.[1] ?? address;
  if (IPV4.test(bare)) return `address:${bare}`;
  const ipv6 = canonicalIpv6(bare);
  if (ipv6 === undefined) return 'address:unknown';
  const mapped = MAPPED.exec(ipv6);
  return `address:${mapped === null ? networkOfIpv6(ipv6) : ipv4Of(mapped)}`;
}

/** As RFC 5952 writes it. */
function canonicalIpv6(text: string): string | undefined {
  // What follows % is an interface of ours, not of the client.
  const url = `http://[${text.replace(/%.*$/, '')}]/`;
  if (!/^[\da-f:.]{2,45}(%.*)?$/i.test(text) || !URL.canParse(url)) return undefined;
  return new URL(url).hostname.slice(1, -1);
}

function ipv4Of([, high = '', low = '']: readonly string[]): string {
  return [high, low]
    .map((group) => Number.parseInt(group, 16))
    .map((number) => `${number >> 8}.${number & 255}`)
    .join('.');
}

function networkOfIpv6(address: string): string {
  const [head = '', tail] = address.split('::') as [string, string?];
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - groups.length - last.length }, () => '0');
  return `${[...groups, ...zeros, ...last].slice(0, 4).join(':')}::/64`;
}
