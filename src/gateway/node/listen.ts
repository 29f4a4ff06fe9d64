/** A gateway on a port, with Node's own HTTP server and `ws`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { WebSocketServer } from 'ws';
import { endsWith } from '../../log/dependents.ts';
import { JSON_SUBPROTOCOL } from '../../protocol/json-format.ts';
import { protocolError } from '../../protocol/problem.ts';
import type { Gateway } from '../gateway.ts';
import { problemResponse } from '../http/problem-response.ts';
import type { Connection } from '../identity/connection.ts';
import type { RequestHead } from '../identity/identity.ts';
import type { Listening } from '../listening.ts';
import { limitConnections, serverLimits } from './connections.ts';
import { NodeRequests } from './requests.ts';
import { NodeSocket, READ_ANYWAY } from './socket.ts';
import { writeResponse } from './write-response.ts';

export interface ListenOptions {
  /** The address to listen on. Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** Default 4000; 0 takes any free one. */
  readonly port?: number | undefined;
}

/** How long a peer has to answer a closing handshake, in milliseconds. */
const CLOSE_TIMEOUT = 5_000;
/** In how many pieces a message may come: each costs memory of its own. */
const MAX_PIECES = 1_024;
/** How long HTTP connections may stay when all requests are answered, in milliseconds. */
const LINGER = 1_000;
/** How often connections are looked for that have become idle while closing, in milliseconds. */
const CLOSING_ROUND = 50;

/**
 * Starts to listen.
 * @throws the error of the operating system, as when the port is taken (`EADDRINUSE`)
 */
export async function listen(gateway: Gateway, options: ListenOptions = {}): Promise<Listening> {
  const { host = '127.0.0.1', port = 4000 } = options;
  const { limits } = gateway;
  const requests: NodeRequests = new NodeRequests(
    getRequestListener(
      (request, { incoming, outgoing }) => {
        const answer = requests.answerOf(outgoing as ServerResponse);
        return gateway.fetch(request, { ...connectionOf(incoming), answer });
      },
      {
        overrideGlobalObjects: false,
        errorHandler: () =>
          problemResponse(protocolError('invalid_input', 'the request is not valid HTTP')),
      },
    ),
  );
  const server = createServer(
    // One threshold for "slow" in the session and in the stream: a stream that was at it drains.
    { highWaterMark: limits.sendBufferBytes, ...serverLimits(limits) },
    (request, response) => requests.take(request, response),
  );
  limitConnections(server, requests, {
    limits,
    idleTimeout: gateway.idleTimeout,
    direct: !gateway.trustProxy,
  });
  const sockets = socketServer(limits.maxFrameBytes);
  sockets.on('wsClientError', (error, stream) => {
    void writeResponse(stream, problemResponse(protocolError('invalid_upgrade', error.message)));
  });
  server.on('upgrade', (request, stream, head) => {
    // What is answered to earlier requests would be taken for frames.
    if (requests.isBusy(request.socket)) stream.destroy();
    else void upgrade(gateway, sockets, request, stream, head);
  });
  await begun(server, host, port);
  const address = server.address() as AddressInfo;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  let closing: Promise<void> | undefined;
  const listening: Listening = {
    url: `http://${shownHost}:${address.port}`,
    port: address.port,
    close(graceMs = 10_000) {
      closing ??= close(gateway, server, graceMs).finally(leave);
      return closing;
    },
  };
  const leave = endsWith(gateway.log, 'work', (graceMs) => listening.close(graceMs));
  return listening;
}

type SocketServer = ReturnType<typeof socketServer>;

function socketServer(maxFrameBytes: number) {
  const options = {
    noServer: true,
    clientTracking: false,
    WebSocket: NodeSocket,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: maxFrameBytes * READ_ANYWAY,
    maxFragments: MAX_PIECES,
    maxBufferedChunks: MAX_PIECES,
    closeTimeout: CLOSE_TIMEOUT,
    handleProtocols: (offered: Set<string>): string | false =>
      offered.has(JSON_SUBPROTOCOL) ? JSON_SUBPROTOCOL : false,
  };
  return new WebSocketServer(options);
}

async function upgrade(
  gateway: Gateway,
  sockets: SocketServer,
  request: IncomingMessage,
  stream: Duplex,
  head: Buffer,
): Promise<void> {
  // A peer that goes away in the middle of a handshake is nobody's error.
  stream.on('error', ignore);
  // To find out who it is may take a while; `ws` ends this when there is a socket.
  request.socket.setTimeout(gateway.limits.headerTimeout, () => stream.destroy());
  const admission = await gateway.admit(headOf(request), connectionOf(request));
  if (admission instanceof Response) {
    void writeResponse(stream, admission);
    return;
  }
  if (stream.destroyed) {
    admission.place.leave();
    return;
  }
  stream.once('close', () => admission.place.leave());
  sockets.handleUpgrade(request, stream, head, (socket) => {
    socket.begin(stream, gateway.limits.maxFrameBytes, (accepted) =>
      gateway.accept(accepted, admission),
    );
  });
}

function connectionOf({ socket }: Pick<IncomingMessage, 'socket'>): Connection {
  return { address: socket.remoteAddress, secure: 'encrypted' in socket };
}

function headOf({ url = '/', headers }: IncomingMessage): RequestHead {
  return {
    url,
    headers: {
      get(name) {
        const value = headers[name];
        return (Array.isArray(value) ? value[0] : value) ?? null;
      },
    },
  };
}

function begun(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 4096 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function close(gateway: Gateway, server: Server, graceMs: number): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  // A connection that is kept alive becomes idle only when its last response is out.
  const round = setInterval(() => server.closeIdleConnections(), CLOSING_ROUND);
  const timers: ReturnType<typeof setTimeout>[] = [];
  const after = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      timers.push(setTimeout(resolve, milliseconds));
    });
  const ended = gateway.close().then(() => {
    // All is answered. What Node does not count as idle now has never asked for anything
    // (a browser connects ahead), or is slow to take its answer.
    void after(LINGER).then(() => server.closeAllConnections());
    return stopped;
  });
  await Promise.race([ended, after(graceMs)]);
  gateway.terminate();
  server.closeAllConnections();
  clearInterval(round);
  for (const timer of timers) clearTimeout(timer);
}

function ignore(): void {}
