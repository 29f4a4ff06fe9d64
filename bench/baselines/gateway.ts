/**
 * What both baselines share: a small, plain gateway on `ws` and `ioredis` in Millrace's JSON wire
 * format, so that one load generator drives all. They differ only in how they learn of new events.
 *
 * Kept fair: no needless work, no compression, events parsed once and handed through as stored.
 */
import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { type WebSocket, WebSocketServer } from 'ws';

/** A stream entry as ioredis returns it: ID, and fields and values in turn. */
export type Entry = [id: string, fields: string[]];

export const PAGE_SIZE = 1_000;

/** Sends what comes after `cursor` to the socket until the socket closes. */
export type Follow = (socket: WebSocket, log: string, cursor: string) => void;

interface AppendRequest {
  readonly op: string;
  readonly ref: number;
  readonly log: string;
  readonly events: readonly { readonly type: string; readonly payload: unknown }[];
}

/** Runs a gateway as the command line says: `<redis endpoint> <port>`. */
export function serveBaseline(makeFollow: (endpoint: string, shared: Redis) => Follow): void {
  const [endpoint = '', port = ''] = process.argv.slice(2);
  const shared = new Redis(endpoint, { enableAutoPipelining: true });
  const follow = makeFollow(endpoint, shared);

  const server = createServer((_request, response) => response.end('Healthy'));
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', async (socket, request) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', (data) => void append(shared, socket, String(data)));
    const url = new URL(request.url ?? '/', 'http://localhost');
    const log = `account:${url.pathname.slice('/ws/'.length)}`;
    const after = url.searchParams.get('after') ?? '0-0';
    follow(socket, log, after === 'now' ? await lastId(shared, log) : after);
  });
  server.listen(Number(port), '127.0.0.1', 4_096);
  process.on('SIGTERM', () => process.exit(0));
}

export function streamKey(log: string): string {
  return `${log}:log`;
}

export function sendEvents(socket: WebSocket, log: string, entries: readonly Entry[]): void {
  const events = entries.map(([id, [, type, , payload]]) => {
    return `{"id":"${id}","type":${JSON.stringify(type)},"payload":${payload}}`;
  });
  socket.send(`{"op":"events","log":"${log}","events":[${events.join(',')}]}`);
}

export function sendLive(socket: WebSocket, log: string, at: string): void {
  socket.send(`{"op":"live","log":"${log}","at":"${at}"}`);
}

async function append(redis: Redis, socket: WebSocket, text: string): Promise<void> {
  const { op, ref, log, events } = JSON.parse(text) as AppendRequest;
  if (op !== 'append') return;
  const ids = await Promise.all(
    events.map(({ type, payload }) => {
      const fields = ['type', type, 'payload', JSON.stringify(payload)];
      return redis.xadd(streamKey(log), '*', ...fields);
    }),
  );
  socket.send(JSON.stringify({ op: 'appended', ref, ids, version: ids.at(-1), duplicate: false }));
}

async function lastId(redis: Redis, log: string): Promise<string> {
  const [last] = await redis.xrevrange(streamKey(log), '+', '-', 'COUNT', 1);
  return last?.[0] ?? '0-0';
}
