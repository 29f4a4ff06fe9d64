/**
 * The TCP connections of a Node server, before and beside what they ask for: how many there may
 * be, how long one may take to say something, and what is answered to what is not HTTP.
 */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { MillraceError } from '../../event/error.ts';
import { protocolError } from '../../protocol/problem.ts';
import { problemResponse } from '../http/problem-response.ts';
import { networkOf } from '../identity/client-address.ts';
import type { GatewayLimits } from '../limits/limits.ts';
import type { NodeRequests } from './requests.ts';
import { writeResponse } from './write-response.ts';

/** Connections beyond those that sockets and streams may have, so that refusals get an answer too. */
const SPARE = 1_024;
/** An address may have so many times as many connections as sockets: it makes requests as well. */
const PER_SOCKET = 2;
/** How often Node looks for requests whose time is over: that late they may be cut. */
const CHECK_EVERY = 1_000;

/** What has to be said when the server is made. */
export function serverLimits(limits: GatewayLimits): ServerOptions {
  return {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headerTimeout,
    requestTimeout: Math.max(limits.requestTimeout, limits.headerTimeout),
    // Node's own refusal says nothing; the request listener refuses what names no host.
    requireHostHeader: false,
    connectionsCheckingInterval: Math.min(CHECK_EVERY, limits.headerTimeout),
  };
}

export interface ConnectionRules {
  readonly limits: GatewayLimits;
  /** After how many milliseconds a connection is cut over which nothing moves. */
  readonly idleTimeout: number;
  /** Whether the peers are the clients themselves, and not a proxy in front of them. */
  readonly direct: boolean;
}

/** Watches over the connections of `server`. */
export function limitConnections(
  server: Server,
  requests: Pick<NodeRequests, 'isAnswering'>,
  rules: ConnectionRules,
): void {
  const { maxConnections, maxHalfOpen, maxSocketsPerAddress } = rules.limits;
  const perAddress = rules.direct ? maxSocketsPerAddress * PER_SOCKET : 0;
  /** Those that have not made a request yet, the oldest first. */
  const halfOpen = new Set<Socket>();
  const ofAddress = new Map<string, number>();
  /** Those that were refused: what else they send is not looked at. */
  const refused = new WeakSet<Socket>();

  if (maxConnections > 0) server.maxConnections = maxConnections + SPARE;
  server.timeout = rules.idleTimeout;

  server.on('connection', (socket) => {
    if (perAddress > 0 && socket.remoteAddress !== undefined) {
      const address = networkOf(socket.remoteAddress);
      const count = (ofAddress.get(address) ?? 0) + 1;
      // Nothing was read yet, so there is nothing to answer; and an answer would cost us more than them.
      if (count > perAddress) {
        socket.destroy();
        return;
      }
      ofAddress.set(address, count);
      socket.once('close', () => {
        const left = (ofAddress.get(address) ?? 1) - 1;
        if (left === 0) ofAddress.delete(address);
        else ofAddress.set(address, left);
      });
    }
    halfOpen.add(socket);
    socket.once('close', () => halfOpen.delete(socket));
    if (halfOpen.size > maxHalfOpen) cutOldest();
  });

  // Whoever means well has made its request long before it is the oldest.
  function cutOldest(): void {
    const [oldest] = halfOpen;
    if (oldest === undefined) return;
    halfOpen.delete(oldest);
    oldest.destroy();
  }

  server.on('request', ({ socket }: IncomingMessage) => halfOpen.delete(socket));
  server.on('upgrade', ({ socket }: IncomingMessage) => halfOpen.delete(socket));
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const { socket } = response;
    if (socket === null) return;
    const error = protocolError('invalid_header', 'Expect must be 100-continue, or left out');
    void writeResponse(socket, problemResponse(error));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    if (refused.has(socket)) return;
    refused.add(socket);
    halfOpen.delete(socket);
    const unanswerable = !socket.writable || requests.isAnswering(socket);
    if (unanswerable || error.code === 'ECONNRESET') socket.destroy();
    else void writeResponse(socket, problemResponse(refusalOf(error)));
  });
}

function refusalOf({ code }: NodeJS.ErrnoException): MillraceError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return protocolError('headers_too_large', 'the address and the headers are too long');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return protocolError('body_too_large', 'the extensions of a chunk are too long');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return protocolError('request_timeout', 'the request took too long to come');
    default:
      return protocolError('invalid_http', 'what came is not an HTTP/1.1 request');
  }
}
