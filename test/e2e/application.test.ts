/** docs/application.md, run as it says: its files and commands, in both layouts. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { RedisServer } from '../support/redis-server.ts';
import { Command, listensOn, millrace, root } from './command.ts';
import { blocksOf } from './readme.ts';

const blocks = blocksOf('docs/application.md');
const files = blocks.filter(({ language }) => language === 'js');
const commandsOf = (mode: string) =>
  blocks.filter((block) => block.language === 'sh' && block.mode === mode).map(({ text }) => text);

let folder: string;

beforeAll(async () => {
  // Inside the checkout, where packages are found by their names; git ignores it.
  folder = mkdtempSync(join(root, 'dist.application-'));
  for (const { mode, text } of files) writeFileSync(join(folder, mode), text);
  const [install, makeSecret] = commandsOf('')[0]!.split('\n');
  expect(install).toBe('npm install millrace jose');
  await using secret = shell(makeSecret!);
  expect(await secret.ended()).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shell = (text: string, env = {}) => new Command('bash', ['-ec', text], { cwd: folder, env });

test('every block is of a kind that is run here', () => {
  expect(files.map(({ mode }) => mode)).toEqual([
    ...['shop.mjs', 'one.mjs', 'backend.mjs', 'customer.mjs'],
  ]);
  const modes = blocks.filter(({ language }) => language === 'sh').map(({ mode }) => mode);
  expect(modes).toEqual([
    ...['', 'one', 'backend', 'gateway', 'customer', 'order', 'order', 'mend', 'letters'],
  ]);
});

interface Running {
  readonly shop: string;
  readonly gateway: string;
}

/** What is told of customers and orders, wherever it runs. */
async function buyAndSell(at: Running, mend: (here: (text: string) => string) => Promise<void>) {
  const here = (text: string) => text.replaceAll('http://127.0.0.1:3000', at.shop);
  const socketUrl = at.gateway.replace('http', 'ws');
  const run = async (text: string): Promise<string> => {
    await using command = shell(here(text).replaceAll('curl ', 'curl --silent --show-error '));
    expect(await command.ended(), command.stderr).toBe(0);
    return command.stdout;
  };

  await using ada = shell(`exec ${commandsOf('customer')[0]} ${at.shop} ${socketUrl}`);
  await ada.printed(/live\n/);
  const [book, anvil] = commandsOf('order') as [string, string];
  for (let time = 1; time <= 2; time += 1) {
    expect(JSON.parse(await run(book))).toEqual({
      status: 'placed',
      customer: 'ada',
      item: 'book',
    });
  }
  await ada.printed(/Notification Your book is on its way: 12 EUR\n/);

  const other = book.replace('"item":"book"', '"item":"globe"');
  expect(JSON.parse(await run(other)).error).toContain('17');
  const wrong = `curl ${at.shop}/orders -d '{"customer":"ada","item":"book"}'`;
  expect(JSON.parse(await run(wrong)).error).toMatch(/^order must be/);

  expect(JSON.parse(await run(anvil))).toMatchObject({ item: 'anvil' });
  const letters = `curl ${at.shop}/dead-letters -d '{}'`;
  const [letter] = await eventually(async () => {
    const list = JSON.parse(await run(letters));
    expect(list).toMatchObject([{ log: 'order:18', error: 'there is no price for anvil' }]);
    return list;
  });
  await mend((text) => here(text).replaceAll('<the letter of the list>', letter.letter));
  await ada.printed(/Notification Your anvil is on its way: 90 EUR\n/);
  expect(JSON.parse(await run(letters))).toEqual([]);
  expect(ada.stdout.match(/Notification/g)).toHaveLength(2);

  expect(await appendedByACustomer(at)).toMatchObject({ op: 'error', code: 'forbidden' });
}

async function appendedByACustomer({ shop, gateway }: Running): Promise<unknown> {
  const login = await fetch(`${shop}/login`, { method: 'POST', body: '{"user":"eve"}' });
  const { token } = (await login.json()) as { token: string };
  const protocols = ['millrace.json.v1', `millrace.token.${token}`];
  const socket = new WebSocket(`${gateway.replace('http', 'ws')}/ws`, protocols);
  const events = [{ type: 'Notification', payload: { text: 'You have won' } }];
  socket.on('open', () => socket.send(JSON.stringify({ op: 'append', ref: 1, events })));
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data));
      if (frame.ref !== 1) return;
      socket.close();
      resolve(frame);
    });
  });
}

const shopUrl = async (command: Command) => (await command.printed(/the shop is at (\S+)\n/))[1]!;
const curl = (text: string) => text.replaceAll('curl ', 'curl --silent --show-error --fail ');
const ports = { PORT: '0', SHOP_PORT: '0' };

describe('runs as the page says', () => {
  test('in one process, on a folder', { timeout: 60_000 }, async () => {
    await using one = shell(`exec ${commandsOf('one')[0]}`, ports);
    const shop = await shopUrl(one);
    const gateway = (await one.printed(/the gateway is at (\S+)\n/))[1]!;
    await buyAndSell({ shop, gateway }, async (here) => {
      await using command = shell(curl(here(commandsOf('mend')[0]!)));
      expect(await command.ended(), command.stderr).toBe(0);
    });
    // A request that never comes to its end keeps nobody from ending.
    const half = connect(Number(new URL(shop).port), '127.0.0.1');
    half.on('error', () => {});
    half.write('POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    await once(half, 'connect');
    one.child.kill('SIGTERM');
    expect(await one.ended(), one.stderr).toBe(0);
    const told = one.stderr.trimEnd().split('\n');
    expect(
      told.map((line) => /^millrace: the worker notifications (\S+ \S+)/.exec(line)?.[1]),
    ).toEqual(['could not', 'has given']);
  });

  test('as two, on Redis', { timeout: 60_000 }, async () => {
    await using redis = await RedisServer.start();
    const there = (text: string) =>
      text
        .replaceAll('npx millrace', `"${process.execPath}" "${millrace}"`)
        .replaceAll('redis://localhost:6379', redis.url());
    const env = { ...ports, REDIS_ENDPOINT: redis.url() };
    await using backend = shell(`exec ${commandsOf('backend')[0]}`, env);
    await using serving = shell(`exec ${there(commandsOf('gateway')[0]!)} --port 0`);
    const at = { shop: await shopUrl(backend), gateway: await listensOn(serving) };
    await buyAndSell(at, async () => {
      await using price = shell(
        curl(
          `curl ${at.shop}/prices -d '{"item":"anvil","price":90}' && ${there(commandsOf('letters')[0]!)}`,
        ),
      );
      expect(await price.ended(), price.stderr).toBe(0);
      expect(
        price.stdout.match(/\torder:18\t.*\tPlaced\t2\tthere is no price for anvil\n/g),
      ).toHaveLength(2);
    });
    for (const program of [backend, serving]) {
      program.child.kill('SIGTERM');
      expect(await program.ended(), program.stderr).toBe(0);
    }
  });
});
