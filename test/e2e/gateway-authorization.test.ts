/** Who may read and append what, over sockets, HTTP and streams alike; and who an event is from. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { accountLog, parseLogName } from '../../src/event/log-name.ts';
import type { GatewayOptions } from '../../src/gateway/gateway.ts';
import { randomId } from '../support/names.ts';
import { Client, type RunningGateway, refusedUpgrade, startGateway } from './gateway-client.ts';
import { bearer, startAskingGateway } from './tokens.ts';

let running: RunningGateway;
let me: string;
let other: string;

beforeEach(async () => {
  running = await startAskingGateway();
  me = randomId();
  other = randomId();
});

afterEach(() => running.stop());

async function restart(options: Partial<GatewayOptions>): Promise<void> {
  await running.stop();
  running = await startAskingGateway({}, options);
}

const EVENT = { type: 'Said', payload: 'hi' };

async function socket(claims = {}, path = '/ws'): Promise<Client> {
  const headers = await bearer(me, { claims });
  return Client.open(`${running.socketUrl}${path}`, { headers, protocol: 'millrace.json.v1' });
}

/** What each way of reading and appending answers: true, or the code of the refusal. */
async function permissions(log: string, claims = {}) {
  const headers = await bearer(me, { claims });
  const url = `${running.url}/logs/${log}/events`;
  const outcome = async (answer: Response) =>
    answer.ok || ((await answer.json()) as { code: string }).code;
  const page = await fetch(url, { headers }).then(outcome);
  const abort = new AbortController();
  const stream = await fetch(url, {
    headers: { ...headers, accept: 'text/event-stream' },
    signal: abort.signal,
  }).then(outcome);
  abort.abort();
  const body = JSON.stringify(EVENT);
  const post = await fetch(url, { method: 'POST', headers, body }).then(outcome);

  const client = await socket(claims);
  client.send({ op: 'unsubscribe', log: `account:${me}` });
  client.send({ op: 'subscribe', ref: 'read', log, after: 'now' });
  const subscribed = await client.frame(
    (frame) => (frame.op === 'live' && frame.log === log) || frame.ref === 'read',
  );
  client.send({ op: 'append', ref: 'append', log, events: [EVENT] });
  const appended = await client.frame(({ ref }) => ref === 'append');
  await client.close();
  const read = [page, stream, subscribed.code ?? true];
  const append = [post, appended.code ?? true];
  expect(new Set(read).size, `reading ${log}: ${read}`).toBe(1);
  expect(new Set(append).size, `appending to ${log}: ${append}`).toBe(1);
  return { read: page, append: post };
}

test('by default: its own log, and no other', async () => {
  expect(await permissions(`account:${me}`)).toEqual({ read: true, append: true });
  for (const log of [`account:${other}`, 'room:5', `${me}:1`, `accounts:${me}`]) {
    expect(await permissions(log)).toEqual({ read: 'forbidden', append: 'forbidden' });
    expect((await running.log.read(parseLogName(log))).events).toEqual([]);
  }
});

test('with append any, as in the article: to the log of every account', async () => {
  await restart({ append: 'any' });
  expect(await permissions(`account:${other}`)).toEqual({ read: 'forbidden', append: true });
  expect(await permissions('room:5')).toEqual({ read: 'forbidden', append: 'forbidden' });
  const client = await Client.open(`${running.socketUrl}/ws`, { headers: await bearer(me) });
  client.send(`event:${other}`);
  await expect
    .poll(async () => (await running.log.read(accountLog(other))).events.at(-1)?.payload)
    .toBe(`Some payload for account(${other}) from account(${me})`);
  await client.close();
});

test.each([
  [{ logs: ['room:5'] }, { read: true, append: 'forbidden' }],
  [{ append: ['room:5'] }, { read: 'forbidden', append: true }],
  [
    { logs: ['hall:1', 'room:*'], append: ['*'] },
    { read: true, append: true },
  ],
  [{ admin: true }, { read: true, append: true }],
  [{ admin: false }, { read: 'forbidden', append: 'forbidden' }],
  [{ logs: ['room:', 'room', 'ROOM:5', '*:5', 'room:5x*', ''] }, { read: 'forbidden' }],
])('the claims %j widen it for room:5', async (claims, expected) => {
  expect(await permissions('room:5', claims)).toMatchObject(expected);
});

test('an application can say who may', async () => {
  await restart({ may: ({ account }, action, log) => action === 'read' && log !== `x:${account}` });
  expect(await permissions('room:5')).toEqual({ read: true, append: 'forbidden' });
  expect(await permissions(`x:${me}`)).toEqual({ read: 'forbidden', append: 'forbidden' });
});

test("another's socket is refused, and an admin's is not", async () => {
  const url = `${running.socketUrl}/ws/${other}`;
  const refused = await refusedUpgrade(url, { headers: await bearer(me) });
  expect(refused.status).toBe(403);
  expect(JSON.parse(refused.body)).toMatchObject({ code: 'forbidden' });
  const admin = await socket({ admin: true }, `/ws/${other}`);
  admin.send({ op: 'append', ref: 1, events: [EVENT] });
  await admin.frame(({ ref }) => ref === 1);
  const [event] = (await running.log.read(accountLog(other))).events;
  expect(event?.meta).toEqual({ from: `account:${me}` });
  await admin.close();
});

test('a refused append changes nothing, and the next one goes through', async () => {
  const client = await socket();
  client.send({ op: 'append', ref: 1, log: `account:${other}`, events: [EVENT] });
  client.send({ op: 'append', ref: 2, events: [EVENT] });
  expect(await client.frame(({ ref }) => ref === 1)).toMatchObject({ code: 'forbidden' });
  expect(await client.frame(({ ref }) => ref === 2)).toMatchObject({ op: 'appended' });
  await client.close();
});

test('events are from whoever sent them, whatever their meta claims', async () => {
  const forged = [
    { ...EVENT, meta: { from: `account:${other}`, why: 'a test' } },
    { ...EVENT, meta: { from: null } },
    EVENT,
  ];
  const headers = await bearer(me);
  const body = JSON.stringify(forged);
  await fetch(`${running.url}/accounts/${me}/events`, { method: 'POST', headers, body });
  const client = await socket();
  client.send({ op: 'append', ref: 1, events: forged });
  await client.frame(({ ref }) => ref === 1);
  const from = `account:${me}`;
  const metas = (await running.log.read(accountLog(me))).events.map(({ meta }) => meta);
  const expected = [{ from, why: 'a test' }, { from }, { from }];
  expect(metas).toEqual([...expected, ...expected]);
  await client.close();
});

test('who repeats an append with its producer changes nothing, also not the sender', async () => {
  const headers = {
    ...(await bearer(me)),
    'producer-id': 'p',
    'producer-epoch': '0',
    'producer-seq': '0',
  };
  const url = `${running.url}/accounts/${me}/events`;
  const first = await fetch(url, { method: 'POST', headers, body: JSON.stringify(EVENT) });
  const admin = { ...headers, ...(await bearer(other, { claims: { admin: true } })) };
  const again = await fetch(url, { method: 'POST', headers: admin, body: JSON.stringify(EVENT) });
  expect([first.status, again.status]).toEqual([201, 200]);
  const { events } = await running.log.read(accountLog(me));
  expect(events.map(({ meta }) => meta)).toEqual([{ from: `account:${me}` }]);
});

test('an open gateway takes the word of an address, and lets nobody forge one', async () => {
  const open = await startGateway();
  const client = await Client.open(`${open.socketUrl}/ws/${me}?format=json`);
  const forged = { ...EVENT, meta: { from: `account:${other}` } };
  client.send({ op: 'append', ref: 1, events: [forged] });
  await client.frame(({ ref }) => ref === 1);
  const body = JSON.stringify([forged, { ...EVENT, meta: { from: 'me', why: 'a test' } }]);
  await fetch(`${open.url}/accounts/${me}/events`, { method: 'POST', body });
  const { events } = await open.log.read(accountLog(me));
  expect(events.map(({ meta }) => meta)).toEqual([
    { from: `account:${me}` },
    undefined,
    { why: 'a test' },
  ]);
  expect(await refusedUpgrade(`${open.socketUrl}/ws`)).toMatchObject({ status: 400 });
  await client.close();
  await open.stop();
});

test.each(['AccountRegistered', 'EmailChanged', 'AccountClosed', 'ReservationAbandoned'])(
  'nobody can pass %s off as done by the accounts',
  async (type) => {
    const open = await startGateway();
    const event = { type, payload: { email: 'han@example.org' } };
    for (const [gateway, headers] of [
      [running, await bearer(me, { claims: { admin: true } })],
      [open, {}],
    ] as const) {
      const body = JSON.stringify([EVENT, event]);
      const url = `${gateway.url}/accounts/${me}/events`;
      const answer = await fetch(url, { method: 'POST', headers, body });
      expect([answer.status, await answer.json()]).toMatchObject([403, { code: 'forbidden' }]);
      const client = await Client.open(`${gateway.socketUrl}/ws/${me}?format=json`, { headers });
      client.send({ op: 'append', ref: 1, events: [event] });
      expect(await client.frame(({ ref }) => ref === 1)).toMatchObject({ code: 'forbidden' });
      client.send({ op: 'append', ref: 2, log: 'room:1', events: [event] });
      expect(await client.frame(({ ref }) => ref === 2)).toMatchObject({ op: 'appended' });
      expect((await gateway.log.read(accountLog(me))).events).toEqual([]);
      await client.close();
    }
    await open.stop();
  },
);
