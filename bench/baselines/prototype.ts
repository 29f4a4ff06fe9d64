/**
 * What one would write in an afternoon: a script appends and publishes, the publication carries
 * the event itself, and one subscription connection hands it to the account's sockets.
 *
 * Events that a lost publication carried are not looked for, and a socket that does not read
 * makes the gateway keep all that is meant for it.
 */
import { createServer } from 'node:http';
import { Redis, type Result } from 'ioredis';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Entry, PAGE_SIZE, sendEvents, sendLive, streamKey } from './gateway.ts';

const APPEND = `
local id = redis.call('XADD', KEYS[1], '*', 'type', ARGV[1], 'payload', ARGV[2])
redis.call('PUBLISH', KEYS[1], id .. ' ' .. ARGV[1] .. ' ' .. ARGV[2])
return id`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    appendAndPublish(key: string, type: string, payload: string): Result<string, Context>;
  }
}

interface Append {
  readonly op: string;
  readonly ref: number;
  readonly log: string;
  readonly events: readonly [{ readonly type: string; readonly payload: unknown }];
}

const [endpoint = '', port = ''] = process.argv.slice(2);
const redis = new Redis(endpoint, { enableAutoPipelining: true });
const subscriber = new Redis(endpoint);
redis.defineCommand('appendAndPublish', { numberOfKeys: 1, lua: APPEND });

/** The sockets of each log that has any, by its key. */
const followers = new Map<string, Set<WebSocket>>();

subscriber.on('message', (key, message) => {
  const typeAt = message.indexOf(' ') + 1;
  const payloadAt = message.indexOf(' ', typeAt) + 1;
  const id = message.slice(0, typeAt - 1);
  const type = message.slice(typeAt, payloadAt - 1);
  const entry: Entry = [id, ['type', type, 'payload', message.slice(payloadAt)]];
  for (const socket of followers.get(key) ?? []) sendEvents(socket, logOf(key), [entry]);
});

const server = createServer((_request, response) => response.end('Healthy'));
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket, request) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const log = `account:${url.pathname.slice('/ws/'.length)}`;
  socket.on('error', () => socket.terminate());
  socket.on('message', (data) => void append(socket, String(data)));
  void follow(socket, log, url.searchParams.get('after') ?? '0-0');
});
server.listen(Number(port), '127.0.0.1', 4_096);
process.on('SIGTERM', () => process.exit(0));

async function append(socket: WebSocket, text: string): Promise<void> {
  const { op, ref, log, events } = JSON.parse(text) as Append;
  if (op !== 'append') return;
  const { type, payload } = events[0];
  const id = await redis.appendAndPublish(streamKey(log), type, JSON.stringify(payload));
  socket.send(`{"op":"appended","ref":${ref},"ids":["${id}"],"version":"${id}","duplicate":false}`);
}

/** Sends what is stored, then adds the socket to those that get what is published. */
async function follow(socket: WebSocket, log: string, after: string): Promise<void> {
  const key = streamKey(log);
  let own = followers.get(key);
  if (own === undefined) {
    own = new Set();
    followers.set(key, own);
    await subscriber.subscribe(key);
  }
  let cursor = after;
  while (after !== 'now') {
    const entries = (await redis.xrange(key, `(${cursor}`, '+', 'COUNT', PAGE_SIZE)) as Entry[];
    if (entries.length === 0) break;
    sendEvents(socket, log, entries);
    cursor = entries.at(-1)![0];
  }
  own.add(socket);
  sendLive(socket, log, cursor === 'now' ? '0-0' : cursor);
  socket.on('close', () => {
    own.delete(socket);
    if (own.size > 0) return;
    followers.delete(key);
    void subscriber.unsubscribe(key);
  });
}

function logOf(key: string): string {
  return key.slice(0, -':log'.length);
}
