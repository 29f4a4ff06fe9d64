/** Decides about a WebSocket upgrade before it happens: account, wire format, start, origin. */
import { MillraceError } from '../event/error.ts';
import { accountLog, type LogName } from '../event/log-name.ts';
import { JSON_SUBPROTOCOL, jsonFormat } from '../protocol/json-format.ts';
import { protocolError } from '../protocol/problem.ts';
import { parseStart, type StartPoint } from '../protocol/start.ts';
import { textFormat } from '../protocol/text.ts';
import type { WireFormat } from '../protocol/wire-format.ts';
import { forbiddenOrigin, type OriginRule } from './origin.ts';

/** What a gateway looks at in an upgrade; a web `Request` fits. */
export interface UpgradeRequest {
  /** Absolute, or the path and query alone. */
  readonly url: string;
  readonly headers: { get(name: string): string | null };
}

/** An upgrade that may go ahead. */
export interface Admission {
  readonly accountId: string;
  readonly log: LogName;
  readonly start: StartPoint;
  readonly format: WireFormat;
  /** The subprotocol to answer with, if one was asked for. */
  readonly subprotocol: string | undefined;
}

const SOCKET_PATH = /^\/ws\/([^/]*)$/;

/**
 * @returns the admission, or `undefined` when the path is not that of a socket
 * @throws MillraceError that says what is wrong with the upgrade
 */
export function readAdmission(request: UpgradeRequest, allowed: OriginRule): Admission | undefined {
  const url = parseUrl(request.url);
  const segment = SOCKET_PATH.exec(url.pathname)?.[1];
  if (segment === undefined) return undefined;
  const origin = request.headers.get('origin');
  if (origin !== null && !allowed(origin)) throw forbiddenOrigin(origin);
  const accountId = decoded(segment);
  const log = accountLog(accountId, 'the account ID in /ws/<account ID>');
  const query = url.searchParams;
  const start = parseStart(query.get('after') ?? undefined, query.get('since') ?? undefined);
  const subprotocol = chooseSubprotocol(request.headers.get('sec-websocket-protocol'));
  const format = subprotocol === undefined ? formatNamed(query.get('format')) : jsonFormat;
  return { accountId, log, start, format, subprotocol };
}

function chooseSubprotocol(header: string | null): string | undefined {
  if (header === null) return undefined;
  const offered = header.split(',').map((name) => name.trim());
  if (offered.includes(JSON_SUBPROTOCOL)) return JSON_SUBPROTOCOL;
  throw protocolError(
    'unsupported_subprotocol',
    `the WebSocket subprotocol must be ${JSON_SUBPROTOCOL}, or none for plain text`,
  );
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
