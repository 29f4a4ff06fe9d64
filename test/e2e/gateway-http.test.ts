/** Pages, appends and their errors over HTTP. */
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventId } from '../../src/event/event-id.ts';
import { accountLog, parseLogName } from '../../src/event/log-name.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { eventually } from '../support/eventually.ts';
import { randomId } from '../support/names.ts';
import { type RunningGateway, startGateway } from './gateway-client.ts';

let running: RunningGateway;
let memory: MemoryLog;
let account: string;
let address: string;

beforeEach(async () => {
  memory = new MemoryLog();
  running = await startGateway({
    log: memory,
    limits: { maxFrameBytes: 1_000, maxBodyBytes: 10_000, maxBodyBytesTogether: 15_000 },
    allowOrigins: ['https://app.example.com'],
  });
  account = randomId();
  address = `${running.url}/accounts/${account}/events`;
});

afterEach(() => running.stop());

function post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(address, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function problem(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const body = (await response.json()) as Record<string, unknown>;
  expect(body).toMatchObject({ status: response.status, title: expect.any(String) });
  return body;
}

test('one event or several, and the page that holds them', async () => {
  const one = await post({ type: 'Said', payload: 'hi' });
  expect(one.status).toBe(201);
  const first = (await one.json()) as { ids: string[]; version: string };
  expect(one.headers.get('etag')).toBe(`"${first.version}"`);
  const several = await post([
    { type: 'Said', payload: { a: [1, 'ü🎉'] }, meta: { by: 'x' } },
    { type: 'Photo', payload: 'AP8=', encoding: 'base64' },
  ]);
  const { ids, version } = (await several.json()) as { ids: string[]; version: string };
  const page = await fetch(address);
  const meta = { from: 'anonymous' };
  expect([page.status, page.headers.get('etag')]).toEqual([200, `"${version}"`]);
  expect(await page.json()).toEqual({
    log: `account:${account}`,
    events: [
      { id: first.ids[0], type: 'Said', payload: 'hi', meta },
      { id: ids[0], type: 'Said', payload: { a: [1, 'ü🎉'] }, meta: { by: 'x', ...meta } },
      { id: ids[1], type: 'Photo', payload: 'AP8=', encoding: 'base64', meta },
    ],
    cursor: ids[1],
    more: false,
    version,
  });
});

test('the last events of a log, and on from there', async () => {
  for (const payload of [1, 2, 3, 4]) await post({ type: 'Said', payload });
  const read = async (query: string) =>
    (await (await fetch(`${address}?${query}`)).json()) as {
      events: { payload: number }[];
      cursor: string;
      more: boolean;
      version: string;
    };
  const said = ({ events }: { events: { payload: number }[] }) => events.map((e) => e.payload);
  const last = await read('last=3');
  expect(said(last)).toEqual([2, 3, 4]);
  expect(last).toMatchObject({ more: false, cursor: last.version });
  const part = await read('last=3&limit=1');
  expect([said(part), part.more]).toEqual([[2], true]);
  expect(said(await read(`after=${part.cursor}`))).toEqual([3, 4]);
  const nothing = await read('last=3&limit=0');
  expect([said(nothing), nothing.more]).toEqual([[], true]);
  expect(said(await read(`after=${nothing.cursor}`))).toEqual([2, 3, 4]);
  expect(said(await read('last=10000'))).toEqual([1, 2, 3, 4]);
  await memory.trim(accountLog(account), last.version as EventId);
  expect(await read('last=3')).toMatchObject({ events: [], more: false, cursor: last.version });
  for (const query of ['last=0', 'last=10001', 'last=x', 'last=1&after=0-0']) {
    const refused = await problem(await fetch(`${address}?${query}`));
    expect(refused).toMatchObject({ status: 400, code: 'invalid_query', field: 'last' });
  }
});

test('page by page, and the other ways to start', async () => {
  for (const payload of ['a', 'b', 'c']) await post({ type: 'Said', payload });
  const read = async (query: string) =>
    (await (await fetch(`${address}?${query}`)).json()) as {
      events: { payload: string }[];
      cursor: string;
      more: boolean;
      version: string;
    };
  const payloads = (page: { events: { payload: string }[] }) => page.events.map((e) => e.payload);
  const first = await read('limit=2');
  expect([payloads(first), first.more]).toEqual([['a', 'b'], true]);
  const second = await read(`limit=2&after=${first.cursor}`);
  expect([payloads(second), second.more]).toEqual([['c'], false]);
  const end = await read(`after=${second.cursor}`);
  expect(end).toMatchObject({ events: [], cursor: second.cursor, more: false });
  const now = await read('after=now');
  expect(now).toMatchObject({ events: [], cursor: second.cursor, more: false });
  expect(payloads(await read('since=2018-05-21'))).toEqual(['a', 'b', 'c']);
  const early = await read('limit=0');
  expect(early).toMatchObject({ events: [], cursor: '0-0', more: true });
});

test('a page that starts in time and holds nothing is followed by what it did not hold', async () => {
  let now = 1_000;
  const clocked = new MemoryLog({ clock: () => now });
  await running.stop();
  running = await startGateway({ log: clocked });
  const log = accountLog(account);
  for (const payload of ['a', 'b', 'c']) {
    await clocked.append(log, [{ type: 'Said', payload }]);
    now += 1_000;
  }
  const read = async (query: string) => {
    const page = await (await fetch(`${running.url}/accounts/${account}/events?${query}`)).json();
    return page as { events: { payload: string }[]; cursor: string; more: boolean };
  };
  const payloads = (page: { events: { payload: string }[] }) => page.events.map((e) => e.payload);
  const since = (milliseconds: number) => `since=${new Date(milliseconds).toISOString()}`;
  for (const [time, cursor, following] of [
    [0, '0-0', ['a', 'b', 'c']],
    [1_500, '1000-0', ['b', 'c']],
    [2_000, '1000-0', ['b', 'c']],
    [2_001, '2000-0', ['c']],
  ] as const) {
    const empty = await read(`${since(time)}&limit=0`);
    expect(empty).toMatchObject({ events: [], cursor, more: true });
    expect(payloads(await read(`after=${empty.cursor}`))).toEqual(following);
  }
  const end = await read(`${since(3_001)}&limit=0`);
  expect(end).toMatchObject({ events: [], cursor: '3000-0', more: false });
});

test('any log, by its name; one without events is empty', async () => {
  const page = await fetch(`${running.url}/logs/room:${account}/events`);
  expect(await page.json()).toMatchObject({ log: `room:${account}`, events: [], version: '0-0' });
  expect(page.headers.get('etag')).toBe('"0-0"');
});

test('If-Match guards an append', async () => {
  const first = await post({ type: 'T', payload: 1 }, { 'If-Match': '"0-0"' });
  expect(first.status).toBe(201);
  const conflict = await post({ type: 'T', payload: 1 }, { 'If-Match': '"0-0"' });
  const { version } = (await first.json()) as { version: string };
  expect(conflict.status).toBe(412);
  expect(await problem(conflict)).toMatchObject({ code: 'version_conflict', actual: version });
  const again = await post({ type: 'T', payload: 1 }, { 'If-Match': first.headers.get('etag')! });
  expect(again.status).toBe(201);
});

test.each([
  ['*', '* is not taken, because every log is there: leave the header out'],
  ['W/"1-0"', 'a weak tag (W/) is not taken, because weak tags never match'],
  ['"1-0", "2-0"', 'a list is not taken, because a log is at one version'],
  ['1-0', undefined],
  ['""', undefined],
])('If-Match: %s is refused, with what is taken', async (tag, why) => {
  const { detail } = await problem(await post({ type: 'T', payload: 1 }, { 'If-Match': tag }));
  const rule = 'If-Match must be one version in double quotes, like "1526919030474-55", or "0-0"';
  expect(detail).toContain(rule);
  if (why !== undefined) expect(detail).toContain(`; ${why}`);
});

test('a condition that is not taken is refused, not lost', async () => {
  for (const name of ['If-None-Match', 'If-Unmodified-Since']) {
    const refused = await problem(await post({ type: 'T', payload: 1 }, { [name]: '*' }));
    expect(refused).toMatchObject({ field: name, code: 'invalid_header' });
    expect(refused.detail).toContain(`${name} is not taken here; If-Match must be one version`);
  }
});

test('a producer makes an append safe to repeat', async () => {
  const send = (epoch: number, seq: number) =>
    post(
      { type: 'T', payload: 1 },
      { 'Producer-Id': 'p:1', 'Producer-Epoch': `${epoch}`, 'Producer-Seq': `${seq}` },
    );
  const first = await send(1, 0);
  expect(first.status).toBe(201);
  const repeated = await send(1, 0);
  expect(repeated.status).toBe(200);
  expect(await repeated.json()).toEqual({ ...((await first.json()) as object), duplicate: true });
  const gap = await send(1, 5);
  expect(gap.status).toBe(409);
  expect(await problem(gap)).toMatchObject({ code: 'producer_gap', expectedSeq: 1 });
  const fenced = await send(0, 0);
  expect(fenced.status).toBe(403);
  expect(await problem(fenced)).toMatchObject({ code: 'producer_fenced', currentEpoch: 1 });
});

test.each([
  ['{', {}, 400, 'invalid_json'],
  ['1', {}, 400, 'invalid_event'],
  ['[]', {}, 400, 'invalid_event'],
  ['{"type":"T"}', {}, 400, 'invalid_event'],
  ['{"type":"","payload":1}', {}, 400, 'invalid_event'],
  ['{"type":"T","payload":1}', { 'If-Match': '0-0' }, 400, 'invalid_header'],
  ['{"type":"T","payload":1}', { 'If-Match': '*' }, 400, 'invalid_header'],
  ['{"type":"T","payload":1}', { 'If-None-Match': '*' }, 400, 'invalid_header'],
  ['{"type":"T","payload":1e400}', {}, 400, 'invalid_event'],
  ['[{"type":"T","payload":{"a":[1,-1e400]}}]', {}, 400, 'invalid_event'],
  ['{"type":"T","payload":1,"meta":{"a":1e400}}', {}, 400, 'invalid_event'],
  ['{"type":"T","payload":1}', { 'Producer-Id': 'p' }, 400, 'invalid_header'],
  [
    '{"type":"T","payload":1}',
    { 'Producer-Epoch': '0', 'Producer-Seq': '0' },
    400,
    'invalid_header',
  ],
])('the append %s with %j is refused', async (body, headers, status, code) => {
  const response = await fetch(address, { method: 'POST', body, headers });
  expect(response.status).toBe(status);
  const named = code === 'invalid_json' ? {} : { field: expect.any(String) };
  expect(await problem(response)).toMatchObject({ code, ...named });
  expect((await memory.read(accountLog(account))).events).toEqual([]);
});

test.each([
  ['/accounts/a%20b/events', 'invalid_account'],
  ['/logs/nolog/events', 'invalid_log'],
  ['/accounts/1/events?after=x', 'invalid_event_id'],
  ['/accounts/1/events?limit=-1', 'invalid_query'],
  ['/accounts/1/events?limit=10001', 'invalid_query'],
  ['/accounts/1/events?since=x', 'invalid_time'],
  ['/accounts/1/events?since=2020-02-30', 'invalid_time'],
])('GET %s is refused with %s', async (path, code) => {
  const response = await fetch(`${running.url}${path}`);
  expect(response.status).toBe(400);
  expect(await problem(response)).toMatchObject({ code });
});

test('other methods, and sockets without an upgrade', async () => {
  const put = await fetch(address, { method: 'PUT', body: '{}' });
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
  expect(await problem(put)).toMatchObject({ code: 'method_not_allowed' });
  const socket = await fetch(`${running.url}/ws/1`);
  expect([socket.status, socket.headers.get('upgrade')]).toEqual([426, 'websocket']);
  expect(await problem(socket)).toMatchObject({ code: 'upgrade_required' });
  const nobody = await fetch(`${running.url}/ws`);
  expect([nobody.status, await problem(nobody)]).toMatchObject([400, { code: 'invalid_account' }]);
});

test('a body that is too large, whether it says so or not', async () => {
  const large = { type: 'T', payload: 'x'.repeat(10_000) };
  const stated = await post(large);
  expect(stated.status).toBe(413);
  expect(await problem(stated)).toMatchObject({ code: 'body_too_large' });
  const streamed = await fetch(address, {
    method: 'POST',
    body: new Blob([JSON.stringify(large)]).stream(),
    duplex: 'half',
  } as RequestInit);
  expect(streamed.status).toBe(413);
  const small = await fetch(address, {
    method: 'POST',
    body: new Blob([JSON.stringify({ type: 'T', payload: 'ü🎉' })]).stream(),
    duplex: 'half',
  } as RequestInit);
  expect(small.status).toBe(201);
});

test('bodies that are held open together have a bound, and give their room back', async () => {
  const path = new URL(address).pathname;
  const open = [1, 2].map(() => {
    const socket = connect(running.listening.port, '127.0.0.1');
    socket.on('error', () => {});
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n`;
    socket.write(`${head}${'['.repeat(7_000)}`);
    return socket;
  });
  const event = { type: 'T', payload: 'x'.repeat(2_000) };
  let refused = await post(event);
  await eventually(async () => {
    if (refused.status !== 503) refused = await post(event);
    return refused.status === 503;
  });
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(await problem(refused)).toMatchObject({ code: 'overloaded' });
  const small = await post({ type: 'T', payload: 'small' });
  expect(small.status).toBe(201);
  for (const socket of open) socket.destroy();
  await eventually(async () => (await post(event)).status === 201);
});

test('a body that is not UTF-8', async () => {
  const response = await fetch(address, {
    method: 'POST',
    body: new Uint8Array([0x22, 0xff, 0x22]),
  });
  expect(response.status).toBe(400);
  expect(await problem(response)).toMatchObject({ code: 'invalid_utf8' });
});

test('a cursor that is trimmed, or lost, is Gone, and the answer says how to go on', async () => {
  const log = accountLog(account);
  for (const payload of ['a', 'b', 'c']) await post({ type: 'Said', payload });
  const { events, version } = await memory.read(log);
  await memory.trim(log, events[1]!.id);
  for (const after of ['0-0', events[0]!.id]) {
    const gone = await fetch(`${address}?after=${after}`);
    expect(gone.status).toBe(410);
    const body = await problem(gone);
    expect(body).toMatchObject({ code: 'trimmed', resumeAfter: events[1]!.id, version });
    expect(body.detail).toContain(`after=${events[1]!.id}`);
  }
  const resumed = await fetch(`${address}?after=${events[1]!.id}`);
  expect(await resumed.json()).toMatchObject({ events: [{ payload: 'c' }] });
  const lost = await fetch(`${address}?after=9999999999999-0`);
  expect(lost.status).toBe(410);
  const body = await problem(lost);
  expect(body).toMatchObject({ code: 'reset', version });
  expect(body.detail).toContain('after=0-0');
});

test('pages of foreign origins may not write, and may not read', async () => {
  const origin = 'https://example.com';
  const refused = await post({ type: 'T', payload: 1 }, { origin });
  expect(refused.status).toBe(403);
  expect(await problem(refused)).toMatchObject({ code: 'forbidden_origin' });
  expect((await memory.read(parseLogName(`account:${account}`))).events).toEqual([]);
  const read = await fetch(address, { headers: { origin } });
  expect(read.headers.get('access-control-allow-origin')).toBeNull();
});

test('pages of loopback and of named origins may do both', async () => {
  for (const origin of ['http://localhost:3000', 'https://app.example.com']) {
    const headers = { origin, 'access-control-request-method': 'POST' };
    const preflight = await fetch(address, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('If-Match');
    const written = await post({ type: 'T', payload: 1 }, { origin });
    expect(written.status).toBe(201);
    expect(written.headers.get('access-control-allow-origin')).toBe(origin);
    expect(written.headers.get('access-control-expose-headers')).toContain('ETag');
  }
});

test('a store that fails is told as such, and shows nothing of itself', async () => {
  memory.read = () => Promise.reject(new Error('secret'));
  const response = await fetch(address);
  expect(response.status).toBe(500);
  expect(JSON.stringify(await problem(response))).not.toContain('secret');
});
