/** Where a request may carry what proves who sent it. The address is deliberately not among them. */
import { InvalidInput } from '../../event/error.ts';
import type { RequestHead } from './identity.ts';
import { Unauthenticated } from './identity.ts';

/** In a browser, the list of subprotocols is the only thing that a page can say in an upgrade. */
export const TOKEN_SUBPROTOCOL = 'millrace.token.';

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;
const IN_ADDRESS = ['token', 'access_token', 'id_token', 'jwt'];

/** The token in `Authorization`, else in the subprotocols, else in `cookie` if one is named. */
export function tokenOf({ headers }: RequestHead, cookie?: string): string | undefined {
  const authorization = headers.get('authorization');
  if (authorization !== null) {
    const token = BEARER.exec(authorization)?.[1];
    if (token !== undefined) return token;
    throw new Unauthenticated('Authorization must be Bearer and a token');
  }
  const subprotocol = subprotocolsOf(headers.get('sec-websocket-protocol')).find((name) =>
    name.startsWith(TOKEN_SUBPROTOCOL),
  );
  if (subprotocol !== undefined) return subprotocol.slice(TOKEN_SUBPROTOCOL.length);
  return cookie === undefined ? undefined : cookieOf(headers.get('cookie'), cookie);
}

/** The subprotocols that an upgrade offers. */
export function subprotocolsOf(header: string | null): readonly string[] {
  return header === null ? [] : header.split(',').map((name) => name.trim());
}

/** The value of a cookie; of several of one name the first, which is that of the longest path. */
export function cookieOf(header: string | null, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    return decoded(/^"(.*)"$/.exec(value)?.[1] ?? value);
  }
  return undefined;
}

/**
 * Addresses are written into logs, histories and `Referer` headers.
 * @throws InvalidInput when there is a token in this one
 */
export function refuseTokenInAddress(query: URLSearchParams): void {
  const name = IN_ADDRESS.find((parameter) => query.has(parameter));
  if (name === undefined) return;
  throw new InvalidInput(
    name,
    'has no place in an address, because addresses get logged: send the token as Authorization: Bearer, as the subprotocol millrace.token.<token>, or trade it for a ticket with POST /tickets. And consider this one lost',
    'invalid_query',
  );
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
