/** The client's connection, over a real gateway: what it promises while all between them breaks. */
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { gatewayLink, type LinkOptions } from '../../src/client/connection/link.ts';
import type { GatewayLink, Receiver } from '../../src/client/upstream.ts';
import type { StoredEvent } from '../../src/event/event.ts';
import { type EventId, ZERO_ID } from '../../src/event/event-id.ts';
import { type LogName, parseLogName } from '../../src/event/log-name.ts';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { eventually } from '../support/eventually.ts';
import { randomId } from '../support/names.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { Client, type RunningGateway, startGateway } from './gateway-client.ts';
import { startAskingGateway, token } from './tokens.ts';

class Kept implements Receiver {
  readonly ids = new Map<LogName, EventId[]>();
  readonly notices: string[] = [];

  of(log: LogName): EventId[] {
    const ids = this.ids.get(log) ?? [];
    this.ids.set(log, ids);
    return ids;
  }

  events(log: LogName, events: readonly StoredEvent[]): void {
    this.of(log).push(...events.map(({ id }) => id));
  }

  live(): void {}

  trimmed(log: LogName): void {
    this.notices.push(`${log} trimmed`);
  }

  reset(log: LogName): void {
    this.notices.push(`${log} reset`);
  }

  failed(log: LogName, { code }: { readonly code: string }): void {
    this.notices.push(`${log} failed ${code}`);
  }
}

let log: MemoryLog;
let gateways: RunningGateway[];
let links: GatewayLink[];
let kept: Kept;
let rooms: LogName[];

beforeEach(() => {
  log = new MemoryLog();
  gateways = [];
  links = [];
  kept = new Kept();
  rooms = [1, 2, 3].map((number) => parseLogName(`room:${randomId()}-${number}`));
});

afterEach(async () => {
  for (const link of links) link.close();
  for (const gateway of gateways) await gateway.listening.close(100);
  await log.close();
});

async function gateway(options: Partial<GatewayOptions> = {}): Promise<RunningGateway> {
  const started = await startGateway({ ...options, log });
  gateways.push(started);
  return started;
}

function linked(url: string, options: Partial<LinkOptions> = {}): GatewayLink {
  const link = gatewayLink({ url, account: '1', WebSocket, ...options }, kept);
  links.push(link);
  return link;
}

async function stored(room: LogName): Promise<EventId[]> {
  const ids: EventId[] = [];
  for (;;) {
    const { events, more } = await log.read(room, { after: ids.at(-1) ?? ZERO_ID, limit: 1_000 });
    ids.push(...events.map(({ id }) => id));
    if (!more) return ids;
  }
}

async function everythingOnce(): Promise<void> {
  for (const room of rooms) {
    const ids = await stored(room);
    await eventually(() => kept.of(room).length >= ids.length);
    expect(kept.of(room)).toEqual(ids);
  }
  expect(kept.notices).toEqual([]);
}

/** Appends to all rooms, one event after the other, until it is told to stop. */
function load(): { stop(): Promise<void> } {
  let goesOn = true;
  const running = (async () => {
    for (let count = 0; goesOn; count += 1) {
      await log.append(rooms[count % rooms.length]!, [{ type: 'Said', payload: count }]);
      if (count % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  return {
    async stop() {
      goesOn = false;
      await running;
    },
  };
}

test('follows three logs through cut connections and gateways that are replaced', async () => {
  const first = await gateway();
  await using proxy = await TcpProxy.start(first.listening.port);
  const link = linked(`http://127.0.0.1:${proxy.port}`);
  for (const room of rooms) link.follow(room, { after: ZERO_ID });
  const writing = load();
  for (let count = 0; count < 4; count += 1) {
    await eventually(() => link.state.get().status === 'live' && kept.of(rooms[2]!).length > count);
    proxy.cut();
    await eventually(() => !link.isReady.get());
    await eventually(() => link.isReady.get());
  }
  const second = await gateway();
  proxy.retarget(second.listening.port);
  await first.listening.close(1_000);
  await eventually(() => link.state.get().failure?.code === 'shutting_down');
  await eventually(() => link.isReady.get());
  await writing.stop();
  await everythingOnce();
});

test('a log that is started again under load loses nothing and repeats nothing', async () => {
  const link = linked((await gateway()).url);
  const room = rooms[0]!;
  const writing = load();
  link.follow(room, { after: ZERO_ID });
  for (let count = 0; count < 40; count += 1) {
    await eventually(() => kept.of(room).length > 5);
    kept.of(room).length = 0;
    link.follow(room, { after: ZERO_ID });
  }
  await writing.stop();
  const ids = await stored(room);
  await eventually(() => kept.of(room).length >= ids.length);
  expect(kept.of(room)).toEqual(ids);
});

test('appends are answered, small ones over the socket and large ones over HTTP, in order', async () => {
  const link = linked((await gateway()).url);
  await eventually(() => link.isReady.get());
  const producer = { id: 'p', epoch: 0 };
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, seq) =>
      link.append({
        log: rooms[0]!,
        events: [{ type: 'T', payload: seq % 7 === 3 ? 'x'.repeat(100_000) : seq }],
        producer: { ...producer, seq },
      }),
    ),
  );
  expect(answers.map(({ kind }) => kind)).toEqual(answers.map(() => 'appended'));
  const ids = answers.flatMap((answer) => (answer.kind === 'appended' ? answer.appended.ids : []));
  expect(ids).toEqual(await stored(rooms[0]!));
});

test('an identity is renewed on the live socket, before it ends', async () => {
  const asking = await startAskingGateway({}, { log } as Partial<GatewayOptions>);
  gateways.push(asking);
  await using proxy = await TcpProxy.start(asking.listening.port);
  let asked = 0;
  const link = linked(`http://127.0.0.1:${proxy.port}`, {
    token: () => {
      asked += 1;
      return token('1', { claims: { exp: Math.ceil(Date.now() / 1_000) + 1 } });
    },
  });
  const states: string[] = [];
  link.state.subscribe(() => states.push(link.state.get().status));
  const own = parseLogName('account:1');
  link.follow(own, 'now');
  await eventually(() => asked >= 3, { timeout: 20_000 });
  await log.append(own, [{ type: 'T', payload: 1 }]);
  await eventually(() => kept.of(own).length === 1);
  expect(states).not.toContain('offline');
  expect(proxy.opened).toBe(1);
  expect(link.account.get()).toBe('1');
});

test('another token counts on the live socket, one of another account does not', async () => {
  const asking = await startAskingGateway({}, { log } as Partial<GatewayOptions>);
  gateways.push(asking);
  const protocol = ['millrace.json.v1', `millrace.token.${await token('1')}`];
  const client = await Client.open(`${asking.socketUrl}/ws?follow=none`, { protocol });
  expect(await client.frame(() => true)).toMatchObject({ op: 'connected', account: '1' });
  client.send({ op: 'authenticate', ref: 1, token: await token('2') });
  expect(await client.frame(({ ref }) => ref === 1)).toMatchObject({ code: 'forbidden' });
  client.send({ op: 'authenticate', ref: 2, token: 'none' });
  expect(await client.frame(({ ref }) => ref === 2)).toMatchObject({ code: 'unauthenticated' });
  client.send({ op: 'authenticate', ref: 3 });
  expect(await client.frame(({ ref }) => ref === 3)).toMatchObject({ code: 'invalid_operation' });
  client.send({ op: 'subscribe', ref: 4, log: 'room:5' });
  expect(await client.frame(({ ref }) => ref === 4)).toMatchObject({ code: 'forbidden' });
  const may = await token('1', { claims: { logs: ['room:5'] } });
  client.send({ op: 'authenticate', ref: 5, token: may });
  const renewed = await client.frame(({ ref }) => ref === 5);
  expect(renewed).toMatchObject({ op: 'authenticated', account: '1' });
  expect(renewed.expiresIn).toBeGreaterThan(3_500_000);
  client.send({ op: 'subscribe', log: 'room:5' });
  await client.frame(({ op }) => op === 'live');
  await client.close();
});

test('who may not come in is told so, and does not try again', async () => {
  const asking = await startAskingGateway({}, { log } as Partial<GatewayOptions>);
  gateways.push(asking);
  const link = linked(asking.url, { account: '2', token: () => token('1', { claims: {} }) });
  await eventually(() => link.state.get().status === 'closed');
  expect(link.state.get().failure?.code).toBe('forbidden');
  const open = await gateway();
  const nobody = linked(open.url, { account: undefined });
  await eventually(() => nobody.state.get().status === 'closed');
  expect(nobody.state.get().failure?.code).toBe('invalid_account');
});

test('where upgrades are blocked it goes by event streams, and back without a gap', async () => {
  const behind = await gateway();
  let isBlocked = true;
  const proxy = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { host: _, connection: __, ...headers } = request.headers as Record<string, string>;
    const end = new AbortController();
    response.on('close', () => end.abort());
    try {
      const answer = await fetch(behind.url + request.url, {
        method: request.method!,
        headers,
        signal: end.signal,
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      });
      response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type')! });
      for await (const chunk of answer.body!) response.write(chunk);
      response.end();
    } catch {
      response.destroy();
    }
  });
  proxy.on('upgrade', (request, socket, head) => {
    if (isBlocked) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const server = connect(behind.listening.port, '127.0.0.1', () => {
      const lines = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
      server.write(`GET ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      server.write(head);
      server.pipe(socket).pipe(server);
    });
    server.on('error', () => socket.destroy());
    socket.on('error', () => server.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  try {
    let stir = () => {};
    const link = linked(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, {
      signals: [
        (stirred) => {
          stir = stirred;
          return () => {};
        },
      ],
    });
    for (let more = 4; more < 7; more += 1) rooms.push(parseLogName(`room:${randomId()}-${more}`));
    for (const room of rooms) link.follow(room, { after: ZERO_ID });
    const writing = load();
    await eventually(
      () => link.state.get().over === 'http' && rooms.every((room) => kept.of(room).length > 3),
    );
    expect(
      await link.append({
        log: rooms[0]!,
        events: [{ type: 'T', payload: 1 }],
        producer: { id: 'p', epoch: 0, seq: 0 },
      }),
    ).toMatchObject({ kind: 'appended' });
    isBlocked = false;
    stir();
    await eventually(() => link.state.get().over === 'websocket');
    await eventually(() => link.state.get().status === 'live');
    await writing.stop();
    await everythingOnce();
  } finally {
    for (const link of links) link.close();
    proxy.closeAllConnections();
    proxy.close();
  }
});
