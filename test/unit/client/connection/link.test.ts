/** The link over a gateway of which a test says every word. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { gatewayLink, type LinkOptions } from '../../../../src/client/connection/link.ts';
import type { GatewayLink } from '../../../../src/client/upstream.ts';
import { type EventId, ZERO_ID } from '../../../../src/event/event-id.ts';
import { handmade } from '../../../e2e/tokens.ts';
import { fakeFetch, problem, recorder, room, sockets } from './fakes.ts';

let gateway: ReturnType<typeof sockets>;
let record: ReturnType<typeof recorder>;
let link: GatewayLink;
let requests: ReturnType<typeof fakeFetch>['requests'];
/** What requests are answered; undefined: nobody is there. */
let answer: Parameters<typeof fakeFetch>[0];
let stir: () => void;
let listeners: number;

const upgradeRequired = () => problem(426, 'upgrade_required');
const at = (id: string) => ({ after: id as EventId });
const attempt = (seq: number, payload = 'x', log = room(1)) => ({
  log,
  events: [{ type: 'T', payload }],
  producer: { id: 'p', epoch: 0, seq },
});
const appended = (id: string) => ({ ids: [id], version: id, duplicate: false });
const seconds = async (count: number) => {
  await vi.advanceTimersByTimeAsync(count * 1_000);
  // What is loaded when it is first needed has its time from another clock.
  await vi.dynamicImportSettled();
  await vi.advanceTimersByTimeAsync(0);
};
const status = () => link.state.get().status;

beforeEach(() => {
  // Amid a second, as tokens count in those.
  vi.useFakeTimers({ now: 1_800_000_000_500 });
  gateway = sockets();
  record = recorder();
  answer = () => undefined;
  listeners = 0;
});

afterEach(async () => {
  link.close();
  await seconds(0);
  expect([vi.getTimerCount(), listeners]).toEqual([0, 0]);
  vi.useRealTimers();
});

async function open(options: Partial<LinkOptions> = {}): Promise<void> {
  const fake = fakeFetch((request) => answer(request));
  requests = fake.requests;
  link = gatewayLink(
    {
      url: 'wss://gateway.example/base/',
      account: '1',
      WebSocket: gateway.WebSocket,
      fetch: fake.fetch,
      random: () => 0.5,
      signals: [
        (stirred) => {
          stir = stirred;
          listeners += 1;
          return () => {
            listeners -= 1;
          };
        },
      ],
      ...options,
    },
    record.receiver,
  );
  await seconds(0);
}

test('follows over a socket, and goes on behind what it has on the next one', async () => {
  await open();
  expect(gateway.last().url).toBe('wss://gateway.example/base/ws/1?follow=none&format=json');
  expect(status()).toBe('connecting');
  link.follow(room(1), at('0-0'));
  gateway.last().connected();
  expect([status(), link.isReady.get(), link.account.get()]).toEqual(['catching up', true, '1']);
  gateway.last().events('room:1', '1-0', '2-0');
  gateway.last().say({ op: 'live', log: 'room:1', at: '2-0' });
  expect(link.state.get()).toMatchObject({ status: 'live', over: 'websocket' });
  gateway.last().end();
  expect([status(), link.isReady.get()]).toEqual(['offline', false]);
  expect(link.state.get().retryAt).toBe(Date.now() + 250);
  await seconds(0.25);
  gateway.last().connected();
  expect(gateway.last().sent).toEqual([{ op: 'subscribe', log: 'room:1', after: '2-0' }]);
  gateway.last().events('room:1', '2-0', '3-0');
  expect(record.told).toEqual(['room:1: 1-0 2-0', 'room:1 live 2-0', 'room:1: 3-0']);
});

test('waits longer each time, as chance says, and not after a connection that lived', async () => {
  await open();
  const waits = [];
  for (let count = 0; count < 4; count += 1) {
    gateway.last().end();
    await seconds(0);
    waits.push(link.state.get().retryAt! - Date.now());
    await seconds(waits.at(-1)! / 1_000);
  }
  expect(waits).toEqual([250, 500, 1_000, 2_000]);
  gateway.last().connected();
  await seconds(11);
  gateway.last().end();
  expect(link.state.get().retryAt! - Date.now()).toBe(250);
  expect(gateway.all).toHaveLength(5);
});

test('a gateway that shuts down is given time, as all come back from it', async () => {
  await open();
  gateway.last().connected();
  gateway.last().end(1001, 'shutting_down');
  expect(link.state.get()).toMatchObject({ failure: { code: 'shutting_down' } });
  expect(link.state.get().retryAt! - Date.now()).toBe(2_000);
});

test('a signal cuts a wait short, and has an open connection looked at', async () => {
  await open();
  gateway.last().end();
  await seconds(0);
  expect(status()).toBe('offline');
  stir();
  await seconds(0);
  expect(gateway.all).toHaveLength(2);
  gateway.last().connected();
  stir();
  expect(gateway.last().sent).toEqual([{ op: 'ping' }]);
  await seconds(5.1);
  expect(link.state.get().reason).toBe('the gateway has fallen silent');
  expect(gateway.last().isClosed).toBe(true);
});

test('a log that is started again: nothing of the old start comes any more', async () => {
  await open();
  link.follow(room(1), at('0-0'));
  gateway.last().connected();
  gateway.last().events('room:1', '5-0');
  link.follow(room(1), at('1-0'));
  gateway.last().events('room:1', '6-0');
  gateway.last().say({ op: 'reset', log: 'room:1', version: '6-0' });
  const [, unsubscribe, ping, subscribe] = gateway.last().sent;
  expect([unsubscribe!.op, ping!.op]).toEqual(['unsubscribe', 'ping']);
  expect(subscribe).toEqual({ op: 'subscribe', log: 'room:1', after: '1-0' });
  gateway.last().say({ op: 'pong', ref: ping!.ref });
  gateway.last().events('room:1', '2-0', '5-0');
  expect(record.told).toEqual(['room:1: 5-0', 'room:1: 2-0 5-0']);
  // The same when it was let go of in between.
  link.unfollow(room(1));
  link.follow(room(1), 'now');
  gateway.last().events('room:1', '7-0');
  expect(record.told).toHaveLength(2);
});

test('a log that may not be read is over, one that cannot be read now has all tried again', async () => {
  await open();
  link.follow(room(1), 'now');
  link.follow(room(2), { last: 5 });
  gateway.last().connected();
  expect(gateway.last().ops('subscribe')[1]).toMatchObject({ last: 5 });
  gateway.last().say({ op: 'error', log: 'room:1', code: 'forbidden', message: 'no' });
  expect(record.told).toEqual(['room:1 failed forbidden']);
  gateway.last().say({ op: 'error', log: 'room:2', code: 'unavailable', message: 'not now' });
  expect(link.state.get()).toMatchObject({ status: 'offline', reason: 'not now' });
  await seconds(1);
  gateway.last().connected();
  expect(gateway.last().ops('subscribe')).toHaveLength(1);
});

test('appends are answered by their ref, and unanswered when the socket goes', async () => {
  await open();
  expect(await link.append(attempt(0))).toEqual({ kind: 'unanswered' });
  gateway.last().connected();
  const answers = [0, 1, 2].map((seq) => link.append(attempt(seq)));
  const [first, second] = gateway.last().ops('append');
  gateway.last().say({ op: 'error', ref: second!.ref, code: 'forbidden', message: 'no' });
  gateway.last().say({ op: 'appended', ref: first!.ref, ...appended('1-0') });
  gateway.last().end();
  expect(await Promise.all(answers)).toEqual([
    { kind: 'appended', appended: appended('1-0') },
    { kind: 'refused', failure: { code: 'forbidden', message: 'no' } },
    { kind: 'unanswered' },
  ]);
});

test('a large append goes by a request, in the order of its log', async () => {
  let answered: (response: Response) => void = () => {};
  answer = () =>
    new Promise((resolve) => {
      answered = resolve;
    });
  await open();
  gateway.last().connected();
  const answers = [attempt(0), attempt(1, 'ä'.repeat(40_000)), attempt(2)].map((each) =>
    link.append(each),
  );
  void link.append(attempt(0, 'x', room(2)));
  await seconds(0);
  expect(
    gateway
      .last()
      .ops('append')
      .map(({ log }) => log),
  ).toEqual(['room:1', 'room:2']);
  expect(requests).toHaveLength(0);
  gateway.last().say({ op: 'appended', ref: gateway.last().sent[0]!.ref, ...appended('1-0') });
  await seconds(0);
  expect(requests).toMatchObject([
    { method: 'POST', headers: { 'Producer-Id': 'p', 'Producer-Seq': '1' } },
  ]);
  answered(Response.json(appended('2-0'), { status: 201 }));
  await seconds(0);
  const last = gateway.last().ops('append').at(-1)!;
  expect(last.producer).toMatchObject({ seq: 2 });
  gateway.last().say({ op: 'appended', ref: last.ref, ...appended('3-0') });
  expect(await Promise.all(answers)).toEqual(
    ['1-0', '2-0', '3-0'].map((id) => ({ kind: 'appended', appended: appended(id) })),
  );
});

test('an event that no log takes is refused here', async () => {
  await open();
  gateway.last().connected();
  const wrong = { ...attempt(0), events: [{ type: '', payload: 1 }] };
  expect(await link.append(wrong)).toMatchObject({ failure: { code: 'invalid_event' } });
});

// Who we are.

const jwt = (sub: string, seconds = 3_600) =>
  handmade({}, { sub, exp: Math.floor(Date.now() / 1_000) + seconds });

test('a token goes with the subprotocol, and the gateway says whose it is', async () => {
  const token = vi.fn(async () => jwt('1'));
  await open({ token, account: undefined });
  expect(gateway.last().url).toBe('wss://gateway.example/base/ws?follow=none&format=json');
  expect(gateway.last().protocols).toEqual(['millrace.json.v1', `millrace.token.${jwt('1')}`]);
  gateway.last().connected();
  expect(link.account.get()).toBe('1');
});

test('a token is renewed before it ends, without another socket', async () => {
  const token = vi.fn(async () => jwt('1'));
  await open({ token });
  gateway.last().connected({ expiresIn: 20_000 });
  await seconds(16.1);
  const [renewal] = gateway.last().ops('authenticate');
  expect(renewal).toMatchObject({ token: jwt('1') });
  gateway.last().say({ op: 'authenticated', ref: renewal!.ref, account: '1', expiresIn: 10_000 });
  await seconds(8.1);
  expect(gateway.last().ops('authenticate')).toHaveLength(2);
  token.mockRejectedValueOnce(new Error('offline'));
  gateway.last().say({ op: 'error', ref: renewal!.ref, code: 'unauthenticated', message: 'no' });
  await seconds(8.1);
  gateway.last().say({ op: 'pong' });
  expect(gateway.last().ops('authenticate')).toHaveLength(2);
  await seconds(8.1);
  expect(gateway.last().ops('authenticate')).toHaveLength(3);
  expect([gateway.all.length, token.mock.calls.length]).toEqual([1, 5]);
});

test('when an identity has ended, a new token is tried at once, then with waits', async () => {
  const token = vi.fn(async () => jwt('1'));
  await open({ token });
  gateway.last().connected();
  const ends = () => {
    gateway.last().say({ op: 'error', code: 'unauthenticated', message: 'it has expired' });
    gateway.last().end(4401, 'unauthenticated');
  };
  ends();
  await seconds(0);
  expect([gateway.all.length, token.mock.calls.length]).toEqual([2, 2]);
  gateway.last().connected();
  ends();
  await seconds(0);
  expect(gateway.all).toHaveLength(2);
  expect(link.state.get()).toMatchObject({ status: 'offline', reason: 'it has expired' });
});

test('a token function that fails is a reason to be offline, and is tried again', async () => {
  const token = vi.fn(async () => jwt('1'));
  token.mockRejectedValueOnce(new Error('signed out'));
  await open({ token });
  expect(link.state.get()).toMatchObject({
    status: 'offline',
    reason: 'no token was given: signed out',
  });
  await seconds(0.5);
  gateway.last().connected();
  expect(status()).toBe('live');
});

test.each([
  ['the token', { token: () => jwt('2') }, 'the token is of account 2, not 1'],
  ['the gateway', {}, 'the gateway takes you for account 2, not 1'],
])('another account by the word of %s: closed for good', async (_who, options, reason) => {
  await open(options);
  gateway.all.at(-1)?.connected({ account: '2' });
  expect(link.state.get()).toMatchObject({ status: 'closed', failure: { code: 'forbidden' } });
  expect(link.state.get().reason).toContain(reason);
  await seconds(100);
  expect(gateway.all.length).toBeLessThan(2);
});

test('a page of another origin trades its token for a ticket', async () => {
  vi.stubGlobal('location', { href: 'https://app.example/x', origin: 'https://app.example' });
  try {
    answer = () => Response.json({ ticket: 't1', expiresIn: 30 }, { status: 201 });
    await open({ token: () => jwt('1') });
    expect(requests).toMatchObject([
      { method: 'POST', path: '/base/tickets', headers: { Authorization: `Bearer ${jwt('1')}` } },
    ]);
    expect(gateway.last().url).toBe(
      'wss://gateway.example/base/ws/1?follow=none&format=json&ticket=t1',
    );
    expect(gateway.last().protocols).toEqual(['millrace.json.v1']);
  } finally {
    vi.unstubAllGlobals();
  }
});

// What a refused upgrade was about.

test.each(['forbidden', 'invalid_account', 'forbidden_origin'])(
  'an upgrade that is refused with %s: closed with the failure',
  async (code) => {
    answer = () => problem(403, code);
    await open();
    gateway.last().end();
    await seconds(0);
    expect(link.state.get()).toMatchObject({ status: 'closed', failure: { code } });
  },
);

test('too many connections: as long as the gateway says, and a little by chance', async () => {
  answer = () => problem(429, 'too_many_connections', { retryAfter: 7_000 });
  await open();
  gateway.last().end();
  await seconds(0);
  expect(link.state.get().retryAt! - Date.now()).toBe(7_250);
});

test('a proxy that answers for a gateway that is away is no reason to give up', async () => {
  answer = () => new Response('Bad Gateway', { status: 502 });
  await open();
  for (let count = 0; count < 3; count += 1) {
    gateway.last().end();
    await seconds(3);
  }
  expect(requests.filter(({ path }) => path !== '/base/ws/1?follow=none&format=json')).toEqual([]);
  expect(gateway.all).toHaveLength(4);
});

test('nor is what a hotel answers until one has signed in', async () => {
  answer = () => new Response('<h1>Welcome</h1>');
  await open();
  for (let count = 0; count < 3; count += 1) {
    gateway.last().end();
    await seconds(3);
  }
  expect(link.state.get().over).toBeUndefined();
  expect(gateway.all).toHaveLength(4);
  gateway.last().connected();
  expect(await link.append(attempt(0, 'x'.repeat(70_000)))).toEqual({ kind: 'unanswered' });
  await expect(link.page(room(1), 'now')).rejects.toMatchObject({ code: 'unavailable' });
});

// Where sockets are blocked.

test('sockets that do not open twice, while HTTP answers: streams, and a socket again later', async () => {
  const streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  const page = { log: 'room:5', events: [], cursor: '9-0', more: false, version: '9-0' };
  answer = ({ method, path, headers }) => {
    if (method === 'POST') return Response.json(appended('8-0'), { status: 201 });
    if (path.startsWith('/base/ws')) return upgradeRequired();
    if (headers.Accept !== 'text/event-stream') return Response.json(page);
    const body = new ReadableStream<Uint8Array>({ start: (each) => void streams.push(each) });
    return new Response(body);
  };
  await open();
  for (const id of [1, 2, 3, 4, 5]) link.follow(room(id), at('1-0'));
  // The first one is never answered, the second one is refused.
  await seconds(10);
  expect(status()).toBe('offline');
  await seconds(0.25);
  gateway.last().end();
  await seconds(0);
  expect(link.isReady.get()).toBe(true);
  expect(link.state.get()).toMatchObject({ status: 'catching up', over: 'http' });
  const asked = requests.filter(({ path }) => path.includes('/events'));
  expect(asked).toHaveLength(5);
  expect(streams).toHaveLength(4);
  expect(record.told).toEqual(['room:5 live 9-0']);
  const say = (text: string) => streams[0]!.enqueue(new TextEncoder().encode(text));
  say('id: 2-0\ndata: {"id":"2-0","type":"T","payload":1}\n\nevent: live\ndata: {"at":"2-0"}\n\n');
  await seconds(0);
  expect(record.told.slice(1)).toEqual(['room:1: 2-0', 'room:1 live 2-0']);
  expect(await link.append(attempt(0))).toMatchObject({ kind: 'appended' });
  // The browser says that it is online: a socket is tried beside it, and takes over.
  const before = gateway.all.length;
  stir();
  await seconds(0);
  expect(gateway.all).toHaveLength(before + 1);
  expect(link.state.get().over).toBe('http');
  gateway.last().connected();
  expect(link.state.get()).toMatchObject({ status: 'catching up', over: 'websocket' });
  expect(
    gateway
      .last()
      .ops('subscribe')
      .map(({ after }) => after),
  ).toEqual([...['2-0', '1-0', '1-0', '1-0'], '9-0']);
  const count = requests.length;
  await seconds(15);
  expect(requests).toHaveLength(count);
});

test('a stream that falls silent is taken up again where it was', async () => {
  const streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  answer = ({ path, signal }) => {
    if (path.startsWith('/base/ws')) return upgradeRequired();
    const body = new ReadableStream<Uint8Array>({ start: (each) => void streams.push(each) });
    // As a browser does.
    signal?.addEventListener('abort', () => streams.at(-1)!.error(signal.reason));
    return new Response(body);
  };
  await open({ WebSocket: false });
  link.follow(room(1), at('1-0'));
  await seconds(0);
  streams[0]!.enqueue(
    new TextEncoder().encode('id: 2-0\ndata: {"id":"2-0","type":"T","payload":1}\n\n'),
  );
  await seconds(37);
  expect(status()).toBe('catching up');
  await seconds(2);
  const asked = requests.filter(({ path }) => path.includes('/events')).map(({ path }) => path);
  expect(asked).toEqual([
    expect.stringContaining('after=1-0'),
    expect.stringContaining('after=2-0'),
  ]);
  expect(record.told).toEqual(['room:1: 2-0']);
});

test('beside HTTP a socket is tried again after a while', async () => {
  answer = ({ path }) => (path.startsWith('/base/ws') ? upgradeRequired() : undefined);
  await open({ WebSocket: gateway.WebSocket });
  gateway.last().end();
  await seconds(0.25);
  gateway.last().end();
  await seconds(0);
  expect(link.state.get()).toMatchObject({ status: 'live', over: 'http' });
  await seconds(91);
  expect(gateway.all).toHaveLength(3);
  gateway.last().end();
  await seconds(91);
  expect(gateway.all).toHaveLength(4);
  expect(link.state.get()).toMatchObject({ status: 'live', over: 'http' });
});

test('without WebSocket it goes by HTTP only', async () => {
  answer = () => upgradeRequired();
  await open({ WebSocket: false });
  expect(link.state.get()).toMatchObject({ status: 'live', over: 'http' });
  await seconds(300);
  expect(gateway.all).toHaveLength(0);
});

test('a page that is refused says why', async () => {
  answer = () => problem(410, 'trimmed', { resumeAfter: '5-0', version: '9-0' });
  await open();
  await expect(link.page(room(1), { after: ZERO_ID })).rejects.toMatchObject({
    failure: { code: 'trimmed', resumeAfter: '5-0' },
  });
  answer = () => undefined;
  await expect(link.page(room(1), 'now')).rejects.toMatchObject({ code: 'unavailable' });
});

test('what is closed says so, and does nothing any more', async () => {
  await open();
  gateway.last().connected();
  const pending = link.append(attempt(0));
  link.close();
  expect(await pending).toEqual({ kind: 'unanswered' });
  expect(link.state.get()).toMatchObject({ status: 'closed', reason: 'it was closed here' });
  link.follow(room(1), 'now');
  expect(gateway.last().sent).toHaveLength(1);
  expect(gateway.last().isClosed).toBe(true);
});

test.each(['', 'gateway.example', 'ftp://gateway.example'])('%j is no gateway', async (url) => {
  await open();
  expect(() => gatewayLink({ url }, record.receiver)).toThrow(/url must be that of a gateway/);
});
