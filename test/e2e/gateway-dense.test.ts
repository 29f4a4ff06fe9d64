/** Bodies and messages of many tiny values: a byte of them takes a hundred times what it takes to send. */
import { afterEach, expect, test } from 'vitest';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import { Client, type RunningGateway, startGateway } from './gateway-client.ts';

let running: RunningGateway;

afterEach(() => running.stop());

async function start(options: Partial<GatewayOptions> = {}): Promise<void> {
  running = await startGateway(options);
}

async function post(body: string, path = '/accounts/1/events'): Promise<[number, unknown]> {
  const response = await fetch(running.url + path, { method: 'POST', body });
  const { code } = (await response.json()) as { code?: string };
  return [response.status, code];
}

const dense = (values: number): string => `{"type":"T","payload":[${'1,'.repeat(values - 4)}1]}`;

test('a body with more values than may be is refused for that, before it is parsed', async () => {
  await start();
  expect(await post(`[${'[],'.repeat(3_000_000)}`)).toEqual([413, 'too_many_values']);
  expect(await post('['.repeat(300_000))).toEqual([413, 'too_many_values']);
  expect(await post(dense(250_001))).toEqual([413, 'too_many_values']);
  expect(await post(dense(250_000))).toEqual([201, undefined]);
});

test('text that is none, or many bytes in few values, is no matter of values', async () => {
  await start();
  const text = '\\",[{'.repeat(200_000);
  expect(await post(`{"type":"T","payload":"${text.slice(0, 1_000_000)}"}`)).toEqual([
    201,
    undefined,
  ]);
  expect(await post(' '.repeat(1_000_000))).toEqual([400, 'invalid_json']);
});

test('a limit of their own for those who need it', async () => {
  await start({ limits: { maxValues: 1_000 } });
  expect(await post(dense(1_000))).toEqual([201, undefined]);
  expect(await post(dense(1_001))).toEqual([413, 'too_many_values']);
});

test('a message over a socket too, and the socket stays open', async () => {
  await start({ limits: { maxValues: 1_000 } });
  const client = await Client.open(`${running.socketUrl}/ws/1?format=json&after=now`);
  client.send(`{"op":"append","ref":1,"events":[${'[],'.repeat(2_000)}]}`);
  expect(await client.frame(({ op }) => op === 'error')).toMatchObject({ code: 'too_many_values' });
  client.send({ op: 'ping', ref: 2 });
  await client.frame(({ op }) => op === 'pong');
  await client.close();
});

test('large messages keep their order among small ones', async () => {
  await start();
  const client = await Client.open(`${running.socketUrl}/ws/1?format=json&after=now`);
  const sizes = [10, 60_000, 10, 5_000, 60_000, 60_000, 60_000, 10];
  sizes.forEach((size, ref) => {
    client.send({ op: 'append', ref, events: [{ type: `T${ref}`, payload: 'x'.repeat(size) }] });
  });
  await client.frame(({ ref }) => ref === sizes.length - 1);
  const { events } = await running.log.read('account:1' as never, { maxBytes: 10_000_000 });
  expect(events.map(({ type }) => type)).toEqual(sizes.map((_, ref) => `T${ref}`));
  await client.close();
});

test('over HTTP, what is refused counts as an append', async () => {
  await start({ limits: { appendRate: 1, appendBurst: 3 } });
  expect(await post('[],[],')).toEqual([400, 'invalid_json']);
  expect(await post('[{"type":"T"}]')).toEqual([400, 'invalid_event']);
  expect(await post(`[${'[],'.repeat(300_000)}`)).toEqual([413, 'too_many_values']);
  expect(await post('{"type":"T","payload":1}')).toEqual([429, 'rate_limited']);
});

test('over a socket, what is refused counts as an append', async () => {
  await start({ limits: { appendRate: 1, appendBurst: 3 } });
  const client = await Client.open(`${running.socketUrl}/ws/1?format=json&after=now`);
  client.send('{');
  client.send({ op: 'dance' });
  client.send({ op: 'append', events: [{ type: 1 }] });
  client.send({ op: 'append', ref: 'good', events: [{ type: 'T', payload: 1 }] });
  const answer = await client.frame(({ ref }) => ref === 'good');
  expect(answer).toMatchObject({ op: 'error', code: 'rate_limited' });
  await client.close();
});
