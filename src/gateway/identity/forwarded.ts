/** What a proxy in front says of the request that it passed on. */
import type { RequestHead } from './identity.ts';

/**
 * Whether there is a proxy whose word counts, and in which headers it gives it: `true` for
 * `X-Forwarded-For`, `-Proto` and `-Host`, `'forwarded'` for `Forwarded` (RFC 7239). Only those
 * that are named here count: what a proxy does not write, it passes on as the client wrote it.
 */
export type TrustProxy = boolean | 'forwarded';

/** What it leaves out is undefined. */
export interface Forwarded {
  /** The client, as the proxy writes it. */
  readonly address?: string | undefined;
  readonly scheme?: string | undefined;
  readonly host?: string | undefined;
}

const NOTHING: Forwarded = {};
/** The proxy says something, and what, nobody can tell: the client must not be taken for another. */
const UNREADABLE: Forwarded = { address: 'unknown' };

/** Of several proxies, only the nearest is believed: its word is the last one in each header. */
export function forwardedBy(headers: RequestHead['headers'], trust: TrustProxy): Forwarded {
  if (trust === false) return NOTHING;
  if (trust === 'forwarded') return lastElement(headers.get('forwarded') ?? '');
  return {
    address: lastOf(headers.get('x-forwarded-for')),
    scheme: lastOf(headers.get('x-forwarded-proto')),
    host: lastOf(headers.get('x-forwarded-host')),
  };
}

function lastOf(header: string | null): string | undefined {
  const last = header?.split(',').at(-1)?.trim();
  return last === '' ? undefined : last;
}

// RFC 7239 section 4: name=value, the value a token or quoted; `;` between the pairs of one proxy,
// `,` between proxies. A colon belongs into quotes, and is often written without.
const PAIR = /[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))[ \t]*)?(;|,|$)/y;

function lastElement(header: string): Forwarded {
  let element = new Map<string, string>();
  let at = 0;
  let mark: string | undefined = ',';
  while (mark !== '') {
    if (mark === ',') element = new Map();
    PAIR.lastIndex = at;
    const pair = PAIR.exec(header);
    if (pair === null) return UNREADABLE;
    const [text, name, quoted, token] = pair;
    if (name !== undefined) {
      if (element.has(name.toLowerCase())) return UNREADABLE;
      element.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
    }
    at += text.length;
    mark = pair[4];
  }
  return { address: element.get('for'), scheme: element.get('proto'), host: element.get('host') };
}
