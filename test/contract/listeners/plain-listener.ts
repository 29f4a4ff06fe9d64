/**
 * A listener as somebody outside would write it, by what the package exports alone, for a runtime
 * that can do little: it cannot stop to read, does not count what the network took, and makes its
 * frames by itself. It is how the least that is asked of a listener stays enough.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import type {
  Admission,
  Connection,
  Gateway,
  GatewaySocket,
  Listening,
  SocketSession,
} from 'millrace';
import { WebSocket, WebSocketServer } from 'ws';

/** A message of up to so many times the allowed size is read and refused. */
const READ_ANYWAY = 4;

class PlainSocket implements GatewaySocket {
  readonly #socket: WebSocket;
  readonly #limit: number;
  session: SocketSession | undefined;
  #wasFull = false;

  constructor(socket: WebSocket, limit: number) {
    this.#socket = socket;
    this.#limit = limit;
  }

  get bytesWaiting(): number {
    return this.#socket.bufferedAmount;
  }

  send(message: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(message, () => this.#sent());
    if (this.bytesWaiting >= this.#limit) this.#wasFull = true;
  }

  ping(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #sent(): void {
    if (!this.#wasFull || this.bytesWaiting >= this.#limit) return;
    this.#wasFull = false;
    this.session?.drained();
  }
}

export async function listenPlainly(
  gateway: Gateway,
  { port }: { readonly port: number },
): Promise<Listening> {
  const { limits } = gateway;
  const server = createServer(
    getRequestListener((request, { incoming }) => gateway.fetch(request, connectionOf(incoming)), {
      overrideGlobalObjects: false,
    }),
  );
  server.timeout = gateway.idleTimeout;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxFrameBytes * READ_ANYWAY,
    handleProtocols: () => 'millrace.json.v1',
  });
  server.on('upgrade', async (request, stream, head) => {
    stream.on('error', () => {});
    const headers = new Headers(request.headers as Record<string, string>);
    const url = request.url ?? '/';
    const admission = await gateway.admit({ url, headers }, connectionOf(request));
    if (admission instanceof Response) {
      stream.end(await textOf(admission));
      return;
    }
    stream.once('close', () => admission.place.leave());
    if (stream.destroyed) admission.place.leave();
    else if (admission.subprotocol === undefined) delete request.headers['sec-websocket-protocol'];
    sockets.handleUpgrade(request, stream, head, (socket) => accept(gateway, socket, admission));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: taken } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    close(graceMs = 10_000) {
      closing ??= close(gateway, server, graceMs);
      return closing;
    },
  };
}

async function close(gateway: Gateway, server: Server, graceMs: number): Promise<void> {
  const stopped = new Promise((resolve) => server.close(resolve));
  // What is not idle by then has never asked for anything, or does not take its answer.
  const graceful = gateway.close().then(async () => {
    for (let round = 0; round < 10; round += 1) {
      server.closeIdleConnections();
      if ((await Promise.race([stopped, sleep(50, 'open')])) !== 'open') return;
    }
  });
  await Promise.race([graceful, sleep(graceMs, undefined, { ref: false })]);
  gateway.terminate();
  server.closeAllConnections();
}

function accept(gateway: Gateway, socket: WebSocket, admission: Admission): void {
  const { maxFrameBytes, sendBufferBytes } = gateway.limits;
  const plain = new PlainSocket(socket, sendBufferBytes);
  const session = gateway.accept(plain, admission);
  plain.session = session;
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) session.refuse('binary_frame');
    else if (data.length > maxFrameBytes) session.refuse('frame_too_large');
    else session.receive(data.toString());
  });
  socket.on('ping', () => session.seen());
  socket.on('pong', () => session.seen());
  socket.on('close', () => session.closed());
  socket.on('error', () => {});
}

function connectionOf({
  socket,
}: {
  readonly socket: { readonly remoteAddress?: string | undefined };
}): Connection {
  return { address: socket.remoteAddress, secure: false };
}

async function textOf(response: Response): Promise<string> {
  const body = await response.text();
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = Buffer.byteLength(body);
  return `HTTP/1.1 ${response.status} Refused\r\n${headers}connection: close\r\ncontent-length: ${length}\r\n\r\n${body}`;
}
