/** The article's own session, step by step, through a real WebSocket client. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Client, type RunningGateway, startGateway } from './gateway-client.ts';

let running: RunningGateway;

beforeEach(async () => {
  running = await startGateway();
});

afterEach(() => running.stop());

const PRINTED = (to: string, from: string) =>
  new RegExp(
    `^Event\\(\\n  id: \\d+-\\d+,\\n  type: SOME_EVENT,\\n  payload: Some payload for account\\(${to}\\) from account\\(${from}\\)\\n\\)$`,
  );

test('the health check answers, and other paths do not exist', async () => {
  const health = await fetch(running.url);
  expect([health.status, await health.text()]).toEqual([200, 'Healthy']);
  const other = await fetch(`${running.url}/other`);
  expect([other.status, await other.text()]).toEqual([404, 'Not Found']);
});

test('ping is answered with pong', async () => {
  const one = await Client.open(`${running.socketUrl}/ws/1`);
  one.send('ping');
  expect(await one.received(1)).toEqual(['pong']);
});

test('event:1 appends to the own log and comes back printed', async () => {
  const one = await Client.open(`${running.socketUrl}/ws/1`);
  one.send('event:1');
  const [printed] = await one.received(1);
  expect(printed).toMatch(PRINTED('1', '1'));
});

test('both sockets of one account get the event', async () => {
  const phone = await Client.open(`${running.socketUrl}/ws/1`);
  const laptop = await Client.open(`${running.socketUrl}/ws/1`);
  phone.send('event:1');
  const [onPhone] = await phone.received(1);
  const [onLaptop] = await laptop.received(1);
  expect(onPhone).toMatch(PRINTED('1', '1'));
  expect(onLaptop).toBe(onPhone);
});

test('one account sends to another, and gets nothing of it itself', async () => {
  const one = await Client.open(`${running.socketUrl}/ws/1`);
  const two = await Client.open(`${running.socketUrl}/ws/2`);
  one.send('event:2');
  const [atTwo] = await two.received(1);
  expect(atTwo).toMatch(PRINTED('2', '1'));
  one.send('ping');
  expect(await one.received(1)).toEqual(['pong']);
});

test('a type and a payload of one’s own', async () => {
  const two = await Client.open(`${running.socketUrl}/ws/2`);
  two.send('event:2:Greeted:Hello there: how are you?');
  const [printed] = await two.received(1);
  expect(printed).toMatch(
    /^Event\(\n {2}id: \d+-\d+,\n {2}type: Greeted,\n {2}payload: Hello there: how are you\?\n\)$/,
  );
});

test('who connects again gets the whole log, or what came after the last event seen', async () => {
  const first = await Client.open(`${running.socketUrl}/ws/1`);
  for (const text of ['a', 'b', 'c']) first.send(`event:1:Said:${text}`);
  const seen = [...(await first.received(3))];
  await first.close();
  const again = await Client.open(`${running.socketUrl}/ws/1`);
  expect(await again.received(3)).toEqual(seen);
  const id = /id: (\S+),/.exec(seen[1]!)![1];
  const resumed = await Client.open(`${running.socketUrl}/ws/1?after=${id}`);
  expect(await resumed.received(1)).toEqual([seen[2]]);
});
