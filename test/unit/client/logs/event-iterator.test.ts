import { expect, test } from 'vitest';
import { OpenLog } from '../../../../src/client/logs/client-log.ts';
import type { ClientStart } from '../../../../src/client/upstream.ts';
import type { EventId } from '../../../../src/event/event-id.ts';
import { FakeClient } from './fake-client.ts';
import { event, LOG } from './model-upstream.ts';

function opened(client: FakeClient, start?: ClientStart, signal?: AbortSignal) {
  return new OpenLog(LOG, undefined, client.context).events(start, { signal });
}

async function take(
  client: FakeClient,
  events: AsyncIterator<{ payload: unknown }>,
  count: number,
) {
  const got: unknown[] = [];
  while (got.length < count) {
    const next = events.next();
    let isSettled = false;
    const settled = () => {
      isSettled = true;
    };
    next.then(settled, settled);
    await Promise.resolve().then(() => {});
    if (!isSettled) await client.settle();
    const { done, value } = await next;
    if (done) break;
    got.push(value.payload);
  }
  return got;
}

test('gives what there is, then what comes', async () => {
  const client = new FakeClient();
  client.log.append(3);
  const events = opened(client);
  expect(await take(client, events, 3)).toEqual([1, 2, 3]);
  const waiting = events.next();
  client.log.append();
  await client.settle();
  expect((await waiting).value.payload).toBe(4);
});

test('calls of next() that wait are answered in their order', async () => {
  const client = new FakeClient();
  const events = opened(client);
  const asked = [events.next(), events.next(), events.next()];
  client.log.append(2);
  await client.settle();
  expect((await asked[0])!.value.payload).toBe(1);
  expect((await asked[1])!.value.payload).toBe(2);
  await events.return?.();
  expect(await asked[2]).toEqual({ done: true, value: undefined });
});

test('a loop that is slower than the log reads it by pages, and misses nothing', async () => {
  const client = new FakeClient();
  client.log.append(5_000);
  const events = opened(client);
  const first = await take(client, events, 1);
  client.log.append(10);
  const rest = await take(client, events, 5_009);
  expect([...first, ...rest]).toEqual(Array.from({ length: 5_010 }, (_, index) => index + 1));
  expect(client.pages).toBeGreaterThan(10);
  // And it is back at the end of the log.
  const pages = client.pages;
  client.log.append(1);
  expect(await take(client, events, 1)).toEqual([5_011]);
  expect(client.pages).toBe(pages);
});

test.each(['trimmed', 'reset'] as const)('%s ends it, after what came before', async (what) => {
  const client = new FakeClient();
  client.log.append(10);
  const events = opened(client, { after: '2-0' as EventId });
  expect(await take(client, events, 1)).toEqual([3]);
  if (what === 'trimmed') {
    client.log.append(5);
    client.log.trim(12);
  } else client.log.lose(4);
  client.upstream.reconnect();
  client.upstream.run();
  expect(await take(client, events, 7)).toEqual([4, 5, 6, 7, 8, 9, 10]);
  await expect(events.next()).rejects.toMatchObject({ code: what });
  expect(await events.next()).toEqual({ done: true, value: undefined });
  expect(client.channels.cursor(LOG)).toBeDefined();
});

test('trimmed while it reads by pages', async () => {
  const client = new FakeClient();
  client.log.append(5_000);
  const events = opened(client);
  await take(client, events, 1_200);
  client.log.trim(4_000);
  client.upstream.reconnect();
  const got = take(client, events, 10_000);
  await expect(got).rejects.toMatchObject({ code: 'trimmed' });
});

test('a signal ends it with its reason, the closing of the client without one', async () => {
  const client = new FakeClient();
  const controller = new AbortController();
  const events = opened(client, 'now', controller.signal);
  const next = events.next();
  await client.settle();
  controller.abort(new Error('enough'));
  await expect(next).rejects.toThrow('enough');

  const others = opened(client);
  const other = others.next();
  await client.settle();
  client.channels.close();
  expect(await other).toEqual({ done: true, value: undefined });
  const late = opened(client, 'now', AbortSignal.abort('late'));
  await expect(late.next()).rejects.toBe('late');
});

test('what is refused for good ends it', async () => {
  const client = new FakeClient();
  client.log.append(1);
  const events = opened(client);
  expect(await take(client, events, 1)).toEqual([1]);
  const failure = { code: 'forbidden', message: 'not yours' };
  client.channels.receiver.failed(LOG, failure);
  await expect(events.next()).rejects.toMatchObject({ code: 'forbidden', failure });
});

test('two loops over one log follow it once', async () => {
  const client = new FakeClient();
  client.log.append(2);
  const [one, other] = [opened(client), opened(client)];
  expect(await take(client, one, 2)).toEqual([1, 2]);
  expect(await take(client, other, 2)).toEqual([1, 2]);
  expect(client.upstream.follows).toEqual([{ after: '0-0' }]);
  expect(event(1).id).toBe('1-0');
});
