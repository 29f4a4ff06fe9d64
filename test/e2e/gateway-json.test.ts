/** The JSON protocol over real sockets. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventId } from '../../src/event/event-id.ts';
import { parseLogName } from '../../src/event/log-name.ts';
import { JSON_SUBPROTOCOL } from '../../src/protocol/json-format.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { randomId } from '../support/names.ts';
import { Client, type RunningGateway, refusedUpgrade, startGateway } from './gateway-client.ts';

let running: RunningGateway;
let memory: MemoryLog;

beforeEach(async () => {
  memory = new MemoryLog();
  running = await startGateway({ log: memory });
});

afterEach(() => running.stop());

function connect(accountId: string, query = ''): Promise<Client> {
  return Client.open(`${running.socketUrl}/ws/${accountId}${query}`, {
    protocol: JSON_SUBPROTOCOL,
  });
}

async function append(log: string, ...payloads: string[]): Promise<EventId[]> {
  const ids: EventId[] = [];
  for (const payload of payloads) {
    const appended = await running.log.append(parseLogName(log), [{ type: 'Said', payload }]);
    ids.push(...appended.ids);
  }
  return ids;
}

const payloadsOf = (client: Client) => client.events.map(({ payload }) => payload);

test('the subprotocol is agreed on; format=json does without', async () => {
  const agreed = await connect(randomId());
  expect(agreed.socket.protocol).toBe(JSON_SUBPROTOCOL);
  const asked = await Client.open(`${running.socketUrl}/ws/${randomId()}?format=json`);
  expect(asked.socket.protocol).toBe('');
  asked.send({ op: 'ping', ref: 2 });
  expect(await asked.frame(({ op }) => op === 'pong')).toEqual({ op: 'pong', ref: 2 });
});

test('an append arrives at every socket of the account, whatever the format, as it was sent', async () => {
  const account = randomId();
  const reader = await connect(account);
  const person = await Client.open(`${running.socketUrl}/ws/${account}`);
  const sender = randomId();
  const writer = await connect(sender);
  const from = `account:${sender}`;
  const payload = { text: 'hi 🎉', nested: [1, null, { a: 'ü' }] };
  writer.send({
    op: 'append',
    ref: 1,
    log: `account:${account}`,
    events: [
      { type: 'Greeted', payload, meta: { by: 'me' } },
      { type: 'Photo', payload: 'AAEC/w==', encoding: 'base64' },
      { type: 'Said', payload: '{"looks":"like JSON"}' },
    ],
    expected: '0-0',
    producer: { id: 'p1', epoch: 0, seq: 0 },
  });
  const appended = await writer.frame(({ op }) => op === 'appended');
  expect(appended).toMatchObject({ ref: 1, duplicate: false });
  const ids = appended.ids as string[];
  await reader.frame(({ op }) => op === 'events');
  expect(reader.events).toEqual([
    { id: ids[0], type: 'Greeted', payload, meta: { by: 'me', from } },
    { id: ids[1], type: 'Photo', payload: 'AAEC/w==', encoding: 'base64', meta: { from } },
    { id: ids[2], type: 'Said', payload: '{"looks":"like JSON"}', meta: { from } },
  ]);
  expect((await person.received(3)).join('')).toContain('payload: {"text":"hi 🎉"');
  expect(writer.events).toEqual([]);
});

test('conflict, duplicate, gap and fence say what to do next', async () => {
  const client = await connect(randomId());
  const events = [{ type: 'T', payload: 1 }];
  const producer = (epoch: number, seq: number) => ({ id: 'p', epoch, seq });
  client.send({ op: 'append', ref: 1, events, producer: producer(1, 0) });
  const { version } = await client.frame(({ ref }) => ref === 1);
  client.send({ op: 'append', ref: 2, events, producer: producer(1, 0) });
  expect(await client.frame(({ ref }) => ref === 2)).toMatchObject({ duplicate: true, version });
  client.send({ op: 'append', ref: 3, events, producer: producer(1, 5) });
  expect(await client.frame(({ ref }) => ref === 3)).toMatchObject({
    op: 'error',
    code: 'producer_gap',
    expectedSeq: 1,
  });
  client.send({ op: 'append', ref: 4, events, producer: producer(0, 0) });
  expect(await client.frame(({ ref }) => ref === 4)).toMatchObject({
    code: 'producer_fenced',
    currentEpoch: 1,
  });
  client.send({ op: 'append', ref: 5, events, expected: '0-0' });
  expect(await client.frame(({ ref }) => ref === 5)).toMatchObject({
    code: 'version_conflict',
    actual: version,
  });
});

test('what the log refuses names the event and the field', async () => {
  const client = await connect(randomId());
  client.send({ op: 'append', ref: 1, events: [] });
  client.send({ op: 'append', ref: 2, events: [{ type: 'a\nb', payload: 1 }] });
  expect(await client.frame(({ ref }) => ref === 1)).toMatchObject({
    code: 'invalid_event',
    field: 'events',
  });
  expect(await client.frame(({ ref }) => ref === 2)).toMatchObject({
    code: 'invalid_event',
    field: 'events[0].type',
  });
});

test('a number that JSON has no word for is refused, not stored as null', async () => {
  const account = randomId();
  const client = await connect(account, '?after=now');
  for (const [ref, event] of [
    '{"type":"T","payload":1e400}',
    '{"type":"T","payload":{"price":-1e400}}',
    '{"type":"T","payload":null,"meta":{"at":[1e999]}}',
  ].entries()) {
    client.send(`{"op":"append","ref":${ref},"events":[${event}]}`);
    const answer = await client.frame((frame) => frame.ref === ref);
    expect(answer).toMatchObject({ op: 'error', code: 'invalid_event' });
    expect(answer.message).toContain('must be a number that JSON can hold');
  }
  client.send('{"op":"ping","ref":1e400}');
  const refused = await client.frame(({ op, ref }) => op === 'error' && ref === undefined);
  expect(refused).toMatchObject({ code: 'invalid_operation', field: 'ref' });
  const page = await fetch(`${running.url}/accounts/${account}/events`);
  expect(await page.json()).toMatchObject({ events: [], version: '0-0' });
});

test('a socket that follows nothing is told who it is, and follows what it asks for', async () => {
  const account = randomId();
  const [id] = await append(`account:${account}`, 'a');
  const client = await connect(account, '?follow=none');
  client.send({ op: 'ping' });
  await client.frame(({ op }) => op === 'pong');
  // In an open gateway nothing ends.
  expect(client.frames).toEqual([{ op: 'connected', account }, { op: 'pong' }]);
  client.send({ op: 'subscribe' });
  expect(await client.frame(({ op }) => op === 'live')).toMatchObject({ at: id });
  expect(payloadsOf(client)).toEqual(['a']);
  client.send({ op: 'authenticate', ref: 1, token: 'abc' });
  expect(await client.frame(({ ref }) => ref === 1)).toMatchObject({ code: 'forbidden' });
});

test('to follow nothing is for JSON alone', async () => {
  for (const [query, rule] of [
    ['follow=none', /^follow none is for JSON.*format=json$/],
    ['follow=all', /^follow must be none/],
  ]) {
    const { status, body } = await refusedUpgrade(`${running.socketUrl}/ws/1?${query}`);
    const { code, field, detail } = JSON.parse(body);
    expect([status, code, field]).toEqual([400, 'invalid_query', 'follow']);
    expect(detail).toMatch(rule!);
  }
});

test('with the last events of a log begins a socket, or a subscription', async () => {
  const account = randomId();
  const room = `room:${randomId()}`;
  await append(`account:${account}`, 'a', 'b', 'c');
  await append(room, 'd', 'e', 'f');
  const client = await connect(account, '?last=2');
  await client.frame(({ op }) => op === 'live');
  client.send({ op: 'subscribe', log: room, last: 1 });
  await client.frame(({ op, log }) => op === 'live' && log === room);
  await append(room, 'g');
  await client.frame(({ events }) => events?.[0]?.payload === 'g');
  expect(payloadsOf(client)).toEqual(['b', 'c', 'f', 'g']);
});

test('after, now and since say where the delivery starts, live where the replay ends', async () => {
  const account = randomId();
  const ids = await append(`account:${account}`, 'a', 'b', 'c');
  const whole = await connect(account);
  const after = await connect(account, `?after=${ids[1]}`);
  const now = await connect(account, '?after=now');
  const since = await connect(account, `?since=${new Date(0).toISOString()}`);
  for (const client of [whole, after, now, since]) {
    const live = await client.frame(({ op }) => op === 'live');
    expect(live).toMatchObject({ log: `account:${account}`, at: ids[2] });
  }
  await append(`account:${account}`, 'd');
  for (const [client, payloads] of [
    [whole, ['a', 'b', 'c', 'd']],
    [after, ['c', 'd']],
    [now, ['d']],
    [since, ['a', 'b', 'c', 'd']],
  ] as const) {
    await client.frame(({ events }) => events?.at(-1)?.payload === 'd');
    expect(payloadsOf(client)).toEqual(payloads);
  }
});

test('one socket follows several logs, each from its own cursor', async () => {
  const account = randomId();
  const room = `room:${randomId()}`;
  const ids = await append(room, 'a', 'b');
  const client = await connect(account);
  client.send({ op: 'subscribe', log: room, after: ids[0] });
  await client.frame(({ op, log }) => op === 'live' && log === room);
  await append(room, 'c');
  await append(`account:${account}`, 'own');
  await client.frame(({ events }) => events?.[0]?.payload === 'own');
  await client.frame(({ events }) => events?.[0]?.payload === 'c');
  client.send({ op: 'unsubscribe', log: room });
  client.send({ op: 'ping', ref: 'unsubscribed' });
  await client.frame(({ ref }) => ref === 'unsubscribed');
  await append(room, 'unheard');
  await append(`account:${account}`, 'last');
  await client.frame(({ events }) => events?.[0]?.payload === 'last');
  expect(payloadsOf(client).filter((payload) => payload !== 'own' && payload !== 'last')).toEqual([
    'b',
    'c',
  ]);
  client.send({ op: 'subscribe', log: room, after: ids[1] });
  await client.frame(({ events }) => events?.at(-1)?.payload === 'unheard');
});

test('nothing comes while paused, and nothing is lost', async () => {
  const account = randomId();
  const client = await connect(account);
  await client.frame(({ op }) => op === 'live');
  client.send({ op: 'pause' });
  client.send({ op: 'ping', ref: 1 });
  await client.frame(({ ref }) => ref === 1);
  await append(`account:${account}`, 'a', 'b');
  client.send({ op: 'ping', ref: 2 });
  await client.frame(({ ref }) => ref === 2);
  expect(client.events).toEqual([]);
  client.send({ op: 'resume' });
  await client.frame(({ events }) => events?.at(-1)?.payload === 'b');
  expect(payloadsOf(client)).toEqual(['a', 'b']);
});

test('trimmed comes first, then the first kept event', async () => {
  const account = randomId();
  const log = parseLogName(`account:${account}`);
  const ids = await append(log, 'a', 'b', 'c');
  await memory.trim(log, ids[1]!);
  const whole = await connect(account);
  await whole.frame(({ op }) => op === 'live');
  expect(whole.frames.map(({ op }) => op)).toEqual(['trimmed', 'events', 'live']);
  expect(whole.frames[0]).toEqual({ op: 'trimmed', log, resumeAfter: ids[1] });
  const person = await Client.open(`${running.socketUrl}/ws/${account}`);
  const [notice, printed] = await person.received(2);
  expect(notice).toMatch(/^notice: trimmed: .*up to/);
  expect(printed).toContain('payload: c');
});

test('a cursor that the log never gave out is a reset, and the reader starts afresh', async () => {
  const account = randomId();
  const log = `account:${account}`;
  const ids = await append(log, 'a', 'b');
  const client = await connect(account, '?after=9999999999999-0');
  await client.frame(({ op }) => op === 'live');
  expect(client.frames.map(({ op }) => op)).toEqual(['reset', 'events', 'live']);
  expect(client.frames[0]).toEqual({ op: 'reset', log, version: ids[1] });
  const person = await Client.open(`${running.socketUrl}/ws/${account}?after=9999999999999-0`);
  expect((await person.received(3))[0]).toMatch(/^notice: reset: /);
});

test('a long replay comes in frames of about 64 KiB, whole and in order', async () => {
  const account = randomId();
  const log = parseLogName(`account:${account}`);
  const payload = 'ä'.repeat(500);
  for (let round = 0; round < 10; round += 1) {
    const events = Array.from({ length: 100 }, () => ({ type: 'T', payload }));
    await memory.append(log, events);
  }
  const client = await connect(account);
  await client.frame(({ op }) => op === 'live');
  const ids = client.events.map(({ id }) => id);
  expect(new Set(ids).size).toBe(1_000);
  const { events } = await memory.read(log, { limit: 1_000, maxBytes: 10_000_000 });
  expect(ids).toEqual(events.map(({ id }) => id));
  expect(Math.max(...client.messages.map(({ length }) => length))).toBeLessThan(70_000);
});
