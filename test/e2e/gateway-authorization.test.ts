/** Who may read and append what, over sockets, HTTP and streams alike; and who an event is from. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { accountLog, parseLogName } from '../../src/event/log-name.ts';
import type { GatewayOptions } from '../../src/gateway/options.ts';
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

test('with append none: to no log, but for those that claims name', async () => {
  await restart({ append: 'none' });
  expect(await permissions(`account:${me}`)).toEqual({ read: true, append: 'forbidden' });
  expect(await permissions(`account:${other}`)).toMatchObject({ append: 'forbidden' });
  expect(await permissions('room:5', { append: ['room:5'] })).toMatchObject({ append: true });
  expect(await permissions('room:5', { admin: true })).toMatchObject({ append: true });
});

test.each([
  [['room=Said'], {}, true],
  [['room=*'], {}, true],
  [['*=Said'], {}, true],
  [['account=*', 'room=Sa*'], {}, true],
  [[], {}, 'forbidden'],
  [['room=said', 'room=Sai', 'account=Said', 'roo=*', 'rooms=Said'], {}, 'forbidden'],
  // The claim takes the place of what every account may.
  [['room=Left'], { types: ['room=Said'] }, true],
  [['room=Said'], { types: ['room=Left'] }, 'forbidden'],
  [['room=Said'], { types: [] }, 'forbidden'],
  [['room=Left'], { admin: true }, true],
])(
  'with the types %j and the claims %j, Said in room:5: %s',
  async (appendTypes, claims, outcome) => {
    await restart({ appendTypes });
    const given = { append: ['room:*'], ...claims };
    expect(await permissions('room:5', given)).toMatchObject({ append: outcome });
  },
);

test('of several events all must be of types that may be appended; the first that is not is named', async () => {
  await restart({ appendTypes: ['account=Said', 'account=Note*'] });
  const good = { type: 'Noted', payload: 1 };
  const headers = await bearer(me);
  const url = `${running.url}/accounts/${me}/events`;
  const body = JSON.stringify([EVENT, good, { type: 'Deposited', payload: 1 }]);
  const answer = await fetch(url, { method: 'POST', headers, body });
  expect([answer.status, await answer.json()]).toMatchObject([
    403,
    {
      code: 'forbidden',
      detail: `account ${me} may not append events of the type Deposited to account:${me}`,
    },
  ]);
  expect((await running.log.read(accountLog(me))).events).toEqual([]);
  const text = await Client.open(`${running.socketUrl}/ws`, { headers });
  text.send(`event:${me}:Deposited:100`);
  text.send(`event:${me}:Noted:100`);
  const [refused, event] = await text.received(2);
  expect(refused).toContain('(forbidden)');
  expect(event).toContain('type: Noted');
  await text.close();
});

test('what is no pattern of types is refused where it is given', async () => {
  for (const types of ['account', 'account:Said', '=Said', 'account=', 'a b=Said', 'a*=Said', '']) {
    await expect(startAskingGateway({}, { appendTypes: [types] })).rejects.toThrow(/category=type/);
    const headers = await bearer(me, { claims: { types: [types] } });
    expect((await fetch(`${running.url}/accounts/${me}/events`, { headers })).status).toBe(401);
  }
});

test('an open gateway holds to the types, too, and with append none it is for reading alone', async () => {
  for (const options of [{ appendTypes: ['room=Said'] }, { append: 'none' }] as const) {
    const open = await startGateway(options);
    const post = (log: string) =>
      fetch(`${open.url}/logs/${log}/events`, { method: 'POST', body: JSON.stringify(EVENT) });
    expect((await post('room:1')).status).toBe('append' in options ? 403 : 201);
    const refused = await post(`account:${me}`);
    expect([refused.status, await refused.json()]).toMatchObject([403, { code: 'forbidden' }]);
    const client = await Client.open(`${open.socketUrl}/ws/${me}?format=json`);
    client.send({ op: 'append', ref: 1, events: [EVENT] });
    expect(await client.frame(({ ref }) => ref === 1)).toMatchObject({ code: 'forbidden' });
    expect((await fetch(`${open.url}/accounts/${me}/events`)).status).toBe(200);
    await client.close();
    await open.stop();
  }
});

test('an application can say who may append what', async () => {
  await restart({
    may: ({ account }, action, _log, events = []) =>
      action === 'append' && events.every(({ payload }) => payload === `from ${account}`),
  });
  const headers = await bearer(me);
  const post = async (payload: string) => {
    const body = JSON.stringify({ type: 'Said', payload });
    return (await fetch(`${running.url}/logs/room:1/events`, { method: 'POST', headers, body }))
      .status;
  };
  expect([await post(`from ${me}`), await post(`from ${other}`)]).toEqual([201, 403]);
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

test('meta.version is the word of the client, who knows in which shape its payload is', async () => {
  const headers = await bearer(me);
  const admin = await bearer(me, { claims: { admin: true } });
  const client = await socket();
  const url = `${running.url}/accounts/${me}/events`;
  const versions = [1, 2, 1_000_000];
  for (const version of versions) {
    const body = JSON.stringify({ ...EVENT, meta: { version } });
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(201);
  }
  for (const version of [0, -1, 1.5, 1_000_001, 1e300, '2', null, true, [2]]) {
    const events = [EVENT, { ...EVENT, meta: { version } }];
    const field = 'events[1].meta.version';
    const why = { code: 'invalid_event', field, message: /from 1 to 1000000/ };
    for (const sender of [headers, admin]) {
      const body = JSON.stringify(events);
      const answer = await fetch(url, { method: 'POST', headers: sender, body });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: why.code, field });
    }
    client.send({ op: 'append', ref: JSON.stringify(version), events });
    const frame = await client.frame(({ ref }) => ref === JSON.stringify(version));
    expect(frame).toMatchObject(why);
  }
  const { events } = await running.log.read(accountLog(me));
  expect(events.map(({ meta }) => meta?.version)).toEqual(versions);
  await client.close();
});

test.each(['commandId', 'commandHash', 'reservation'])(
  'meta.%s is for the application, and for an admin in its name',
  async (name) => {
    const event = { ...EVENT, meta: { why: 'a test', [name]: 2 } };
    const open = await startGateway();
    const user = await bearer(me);
    const admin = await bearer(me, { claims: { admin: true } });
    for (const [gateway, headers, may] of [
      [running, user, false],
      [open, {}, false],
      [running, admin, true],
    ] as const) {
      const url = `${gateway.url}/accounts/${me}/events`;
      const body = JSON.stringify([EVENT, event]);
      const answer = await fetch(url, { method: 'POST', headers, body });
      const client = await Client.open(`${gateway.socketUrl}/ws/${me}?format=json`, { headers });
      client.send({ op: 'append', ref: 1, events: [EVENT, event] });
      const frame = await client.frame(({ ref }) => ref === 1);
      // Plain text has no meta to put anything into.
      const text = await Client.open(`${gateway.socketUrl}/ws/${me}?after=now`, { headers });
      text.send(`event:${me}:Said:{"meta":{"${name}":2}}`);
      await text.received(1);
      await Promise.all([client.close(), text.close()]);
      const { events } = await gateway.log.read(accountLog(me));
      const metas = events.map(({ meta }) => meta);
      const [plain, from] = [metas.at(-1), metas.at(-1)?.from];
      expect(plain).toEqual({ from });
      if (may) {
        expect([answer.status, frame.op]).toEqual([201, 'appended']);
        expect(metas.at(-2)).toEqual({ from, why: 'a test', [name]: 2 });
      } else {
        const field = `events[1].meta.${name}`;
        expect([answer.status, await answer.json()]).toMatchObject([
          403,
          { code: 'forbidden', field },
        ]);
        expect(frame).toMatchObject({ op: 'error', code: 'forbidden', field });
        expect(events).toHaveLength(1);
      }
    }
    await open.stop();
  },
);

test.each(['command:abc', 'app:mails'])(
  'a client cannot be the producer %s, which an application goes by',
  async (id) => {
    const producer = { id, epoch: 0, seq: 0 };
    const url = `${running.url}/accounts/${me}/events`;
    const body = JSON.stringify(EVENT);
    const named = { 'producer-id': id, 'producer-epoch': '0', 'producer-seq': '0' };
    const headers = { ...(await bearer(me)), ...named };
    const answer = await fetch(url, { method: 'POST', headers, body });
    expect([answer.status, await answer.json()]).toMatchObject([403, { field: 'producer' }]);
    const client = await socket();
    client.send({ op: 'append', ref: 1, events: [EVENT], producer });
    expect(await client.frame(({ ref }) => ref === 1)).toMatchObject({ code: 'forbidden' });
    await client.close();
    const admin = { ...(await bearer(other, { claims: { admin: true } })), ...named };
    expect((await fetch(url, { method: 'POST', headers: admin, body })).status).toBe(201);
  },
);

test('nobody can write dead letters', async () => {
  const log = 'dead-letter:mail';
  const payload = { log: `account:${me}`, id: '1-0', type: 'Said', attempts: 5, error: 'x', at: 1 };
  const body = JSON.stringify({ type: 'DeadLettered', payload });
  const headers = await bearer(me, { claims: { admin: true } });
  const answer = await fetch(`${running.url}/logs/${log}/events`, {
    method: 'POST',
    headers,
    body,
  });
  expect([answer.status, await answer.json()]).toMatchObject([403, { code: 'forbidden' }]);
  expect((await running.log.read(parseLogName(log))).events).toEqual([]);
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
    { from: 'anonymous' },
    { from: 'anonymous', why: 'a test' },
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
