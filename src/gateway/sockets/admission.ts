/** Decides about a WebSocket upgrade before it happens: identity, account, wire format, start. */
import { InvalidInput, MillraceError } from '../../event/error.ts';
import { accountLog, type LogName } from '../../event/log-name.ts';
import type { Start } from '../../event/start.ts';
import { JSON_SUBPROTOCOL, jsonFormat } from '../../protocol/json-format.ts';
import { protocolError } from '../../protocol/problem.ts';
import { parseStart } from '../../protocol/start.ts';
import { textFormat } from '../../protocol/text.ts';
import type { WireFormat } from '../../protocol/wire-format.ts';
import type { Access } from '../identity/access.ts';
import type { Connection } from '../identity/connection.ts';
import { subprotocolsOf } from '../identity/credentials.ts';
import type { Identity, RequestHead } from '../identity/identity.ts';
import type { ConnectionLimits, Place } from '../limits/connection-limits.ts';

/** An upgrade that may go ahead. */
export interface Admission {
  /** Who is at the other end; in an open gateway, whoever the address says. */
  readonly identity: Identity;
  /** Whose socket it is: the identity's, unless that is an admin. */
  readonly accountId: string;
  readonly log: LogName;
  readonly start: Start;
  /** Whether the log is followed unasked; otherwise the client is told who it is, and asks. */
  readonly follows: boolean;
  readonly format: WireFormat;
  /** The subprotocol to answer with, if one was asked for. */
  readonly subprotocol: string | undefined;
  /** To be left when the connection is gone, also when it never became a socket. */
  readonly place: Place;
}

const SOCKET_PATH = /^\/ws(?:\/([^/]*))?$/;

/**
 * `/ws/<account ID>`, or `/ws` for the account that the identity says.
 * @returns the admission, or `undefined` when the path is not that of a socket
 * @throws MillraceError that says what is wrong with the upgrade
 */
export async function readAdmission(
  request: RequestHead,
  connection: Connection,
  access: Access,
  connections: ConnectionLimits,
): Promise<Admission | undefined> {
  const url = parseUrl(request.url);
  const path = SOCKET_PATH.exec(url.pathname);
  if (path === null) return undefined;
  const entry = access.enter(request, connection);
  access.refuseForeign(entry);
  const wanted = path[1] === undefined ? undefined : decoded(path[1]);
  if (wanted !== undefined) accountLog(wanted, ACCOUNT_FIELD);
  const query = url.searchParams;
  const asked = (name: string) => query.get(name) ?? undefined;
  const start = parseStart({ after: asked('after'), since: asked('since'), last: asked('last') });
  const subprotocol = chooseSubprotocol(request.headers.get('sec-websocket-protocol'));
  const format = subprotocol === undefined ? formatNamed(query.get('format')) : jsonFormat;
  const follows = readFollow(query.get('follow'), format);
  // Last, because a ticket is used up by it.
  const identity = (await access.identifySocket(request, entry)) ?? anybody(wanted);
  const accountId = wanted ?? identity.account;
  access.demandAccount(identity, accountId);
  const log = accountLog(accountId);
  access.demand(identity, 'read', log);
  const place = await connections.enter({ account: identity.account, address: entry.address });
  return { identity, accountId, log, start, follows, format, subprotocol, place };
}

const ACCOUNT_FIELD = 'the account ID in /ws/<account ID>';

/** In an open gateway, everybody is who the address says. */
function anybody(wanted: string | undefined): Identity {
  if (wanted !== undefined) return { account: wanted };
  throw new InvalidInput(
    ACCOUNT_FIELD,
    'must be there: who you are is not asked',
    'invalid_account',
  );
}

function chooseSubprotocol(header: string | null): string | undefined {
  if (header === null) return undefined;
  // A token among them is for `authenticate`, and never answered with.
  if (subprotocolsOf(header).includes(JSON_SUBPROTOCOL)) return JSON_SUBPROTOCOL;
  throw protocolError(
    'unsupported_subprotocol',
    `the WebSocket subprotocol must be ${JSON_SUBPROTOCOL}, or none for plain text`,
  );
}

function readFollow(follow: string | null, format: WireFormat): boolean {
  if (follow === null) return true;
  if (follow !== 'none') {
    throw new InvalidInput('follow', 'must be none, or left out', 'invalid_query');
  }
  if (format === jsonFormat) return false;
  const rule = `none is for JSON: ask for the subprotocol ${JSON_SUBPROTOCOL}, or format=json`;
  throw new InvalidInput('follow', rule, 'invalid_query');
}

function formatNamed(name: string | null): WireFormat {
  if (name === null || name === 'text') return textFormat;
  if (name === 'json') return jsonFormat;
  throw protocolError('invalid_query', 'format must be json or text');
}

function parseUrl(url: string): URL {
  try {
    return new URL(url, 'http://localhost');
  } catch (cause) {
    throw new MillraceError('invalid_upgrade', 'the address must be a path like /ws/1', { cause });
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
