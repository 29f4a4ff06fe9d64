/** `connect` against a real gateway, over sockets of `ws`. */
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  type Client,
  type ConnectOptions,
  connect,
  defineEvents,
  InvalidInput,
  type Refused,
  type,
} from '../../src/client/client.ts';
import type { LogName } from '../../src/event/log-name.ts';
import { listen } from '../../src/gateway/node/listen.ts';
import type { EventLog } from '../../src/log/log.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type RunningGateway, startGateway } from './gateway-client.ts';
import { startAskingGateway, token } from './tokens.ts';

const ROOM = 'room:1' as LogName;
const room = defineEvents({ Said: type<{ text: string }>() });

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** A gateway on a port that others come back to. */
async function started(log: EventLog = new MemoryLog(), port = 0): Promise<RunningGateway> {
  const gateway = await startGateway({ log }, (made) => listen(made, { port }));
  opened.push(() => gateway.listening.close(0));
  return gateway;
}

/** Its sockets are cut, and its port is free. */
async function stopped({ listening }: RunningGateway): Promise<number> {
  const { port } = new URL(listening.url);
  await listening.close(0);
  return Number(port);
}

function client(url: string, account: string, options: ConnectOptions = {}): Client {
  const made = connect(url, { account, WebSocket, ...options });
  opened.push(() => made.close());
  return made;
}

const texts = (events: readonly { payload: { text: string } }[]) =>
  events.map(({ payload }) => payload.text);

test('two clients exchange events', async () => {
  const { url } = await started();
  const [ada, ben] = [client(url, 'ada').log(ROOM, room), client(url, 'ben').log(ROOM, room)];
  const heard: string[] = [];
  ben.on('Said', (event) => heard.push(`${event.meta.from}: ${event.payload.text}`), { last: 10 });
  const latest = ada.latest(2);
  latest.subscribe(() => {});

  const first = await ada.append({ type: 'Said', payload: { text: 'hi' } });
  await ben.append([
    room.create('Said', { text: 'hello' }),
    room.create('Said', { text: 'there' }),
  ]);
  expect(first.ids).toHaveLength(1);
  await eventually(() => heard.length === 3);
  expect(heard).toEqual(['account:ada: hi', 'account:ben: hello', 'account:ben: there']);
  // On another connection than what was heard.
  await eventually(() => expect(texts(latest.get().events)).toEqual(['hello', 'there']));
  expect(latest.get()).toMatchObject({ isCurrent: true, pending: [] });

  const all: string[] = [];
  for await (const event of ada.events()) {
    all.push(event.payload.text);
    if (all.length === 3) break;
  }
  expect(all).toEqual(['hi', 'hello', 'there']);
  expect((await ada.read({ last: 1 })).events.map(({ payload }) => payload.text)).toEqual([
    'there',
  ]);
});

test('what was appended offline arrives once and in order, when the gateway is back', async () => {
  const log = new MemoryLog();
  const first = await started(log);
  const ada = client(first.url, 'ada');
  const own = ada.log(undefined, room);
  expect(own.name).toBe('account:ada');
  await own.append({ type: 'Said', payload: { text: '0' } });
  const port = await stopped(first);
  await eventually(() => ada.connection.get().status === 'offline');

  const sent = ['1', '2', '3'].map((text) => own.append({ type: 'Said', payload: { text } }));
  await Promise.all(sent.map(({ kept }) => kept));
  expect(ada.outbox.entries.get()).toHaveLength(3);
  const latest = own.latest();
  latest.subscribe(() => {});
  expect(texts(latest.get().pending)).toEqual(['1', '2', '3']);

  await started(log, port);
  const ids = (await Promise.all(sent)).flatMap((appended) => appended.ids);
  const { events } = await log.read(own.name);
  expect(events.map(({ payload }) => payload)).toEqual(
    ['0', '1', '2', '3'].map((text) => ({ text })),
  );
  expect(events.slice(1).map(({ id }) => id)).toEqual(ids);
  await eventually(() => texts(latest.get().events).join('') === '0123');
  expect(latest.get()).toMatchObject({ pending: [], isCurrent: true });
  expect(ada.outbox.entries.get()).toEqual([]);
});

test('a loop rides over a gateway that is started anew', async () => {
  const log = new MemoryLog();
  let gateway = await started(log);
  const [ada, ben] = [
    client(gateway.url, 'ada').log(ROOM, room),
    client(gateway.url, 'ben').log(ROOM, room),
  ];
  const heard: string[] = [];
  const loop = (async () => {
    for await (const { payload } of ada.events()) {
      heard.push(payload.text);
      if (heard.length === 30) return;
    }
  })();
  for (let n = 0; n < 30; n += 1) {
    const sending = ben.append({ type: 'Said', payload: { text: String(n) } });
    if (n % 10 === 5) gateway = await started(log, await stopped(gateway));
    if (n % 3 === 0) await sending;
  }
  await loop;
  expect(heard).toEqual(Array.from({ length: 30 }, (_, n) => String(n)));
});

test('trimmed ends a loop with the place to go on from', async () => {
  const log = new MemoryLog();
  const { url } = await started(log);
  const ada = client(url, 'ada').log(ROOM, room);
  for (const text of ['1', '2', '3']) await ada.append({ type: 'Said', payload: { text } });
  const { events } = await log.read(ROOM);
  await log.trim(ROOM, events[1]!.id);
  const loop = ada.events();
  const failure = await loop.next().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'trimmed' });
  const { resumeAfter } = (failure as Refused).failure;
  const rest = ada.events({ after: resumeAfter! });
  expect((await rest.next()).value.payload).toEqual({ text: '3' });
  await rest.return?.();
});

test('reset: a store that has lost what was read says so, and the page shows what there is', async () => {
  const first = await started();
  const ada = client(first.url, 'ada').log(ROOM, room);
  const latest = ada.latest();
  latest.subscribe(() => {});
  await ada.append({ type: 'Said', payload: { text: 'before' } });
  const loop = ada.events();
  await loop.next();
  await eventually(() => texts(latest.get().events)[0] === 'before');
  const restored = new MemoryLog();
  const port = await stopped(first);
  await restored.append(ROOM, [{ type: 'Said', payload: { text: 'restored' } }]);
  await started(restored, port);
  await expect(loop.next()).rejects.toMatchObject({ code: 'reset' });
  await eventually(() => latest.get().isCurrent && latest.get().lost === 'reset');
  expect(texts(latest.get().events)).toEqual(['restored']);
});

test('the token says whose client it is, and another account is refused', async () => {
  const gateway = await startAskingGateway();
  opened.push(() => gateway.stop());
  const ada = connect(gateway.url, { token: () => token('ada'), WebSocket });
  opened.push(() => ada.close());
  expect(() => ada.log()).toThrow('name must be given as long as the account is not known');
  await eventually(() => ada.account.get() === 'ada');
  await ada.log(undefined, room).append({ type: 'Said', payload: { text: 'me' } });

  const other = client(gateway.url, 'ben', { token: () => token('ada') });
  const loop = other.log(ROOM).events();
  await expect(loop.next()).rejects.toMatchObject({ code: 'forbidden' });
  expect(other.connection.get()).toMatchObject({
    status: 'closed',
    failure: { code: 'forbidden' },
  });

  const loopOfAda = ada.log(ROOM).events();
  await expect(loopOfAda.next()).rejects.toMatchObject({ code: 'forbidden' });
});

test('close ends loops, can be called twice, and leaves nothing that keeps a process', async () => {
  const { url } = await started();
  const ada = client(url, 'ada');
  const loop = ada.log().events();
  const next = loop.next();
  await eventually(() => ada.connection.get().status === 'live');
  await Promise.all([ada.close(), ada.close()]);
  expect(await next).toEqual({ done: true, value: undefined });
  expect(ada.connection.get().status).toBe('closed');
  const nowhere = client(`http://127.0.0.1:${await freePort()}`, 'ada');
  const pending = nowhere.log().events().next();
  await nowhere.forget();
  expect(await pending).toEqual({ done: true, value: undefined });
});

test.each([
  ['url', () => connect('ftp://example.org')],
  ['account', () => connect('http://localhost', { account: 'a b' })],
  ['token', () => connect('http://localhost', { token: 'abc' as never })],
  ['persist', () => connect('http://localhost', { persist: 'indexeddb' as never })],
  ['WebSocket', () => connect('http://localhost', { WebSocket: true as never })],
  ['maxOutboxEntries', () => connect('http://localhost', { maxOutboxEntries: 0 })],
])('says what is wrong with %s', (field, attempt) => {
  expect(attempt).toThrow(InvalidInput);
  expect(attempt).toThrow(field);
});
