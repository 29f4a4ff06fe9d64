/** examples/bank and examples/chat, as their users run them: `npm run example …`. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { RedisServer } from '../support/redis-server.ts';
import { Command, root, temporaryFolder } from './command.ts';
import { Client } from './gateway-client.ts';

const example = join(root, 'scripts', 'example.mjs');
let folder: ReturnType<typeof temporaryFolder>;

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder[Symbol.dispose]());

test('an example that there is not is answered with those that there are', async () => {
  await using run = new Command(process.execPath, [example, 'shop']);
  expect(await run.ended()).toBe(1);
  expect(run.stderr).toMatch(/bank, chat/);
});

describe('the bank', () => {
  async function bank(store: string, ...words: string[]) {
    await using run = new Command(process.execPath, [example, 'bank', ...words, '--store', store]);
    const status = await run.ended();
    const rows = [...run.stdout.matchAll(/│ (\w+) +│ (\d+) +│/g)];
    return {
      status,
      said: run.stderr,
      balances: Object.fromEntries(rows.map((row) => row.slice(1))),
    };
  }

  test.each(['a folder', 'Redis'])(
    'moves money between accounts in %s',
    { timeout: 120_000 },
    async (kind) => {
      await using redis = kind === 'Redis' ? await RedisServer.start() : undefined;
      const store = redis?.url() ?? join(folder.path, 'bank');
      expect(await bank(store, 'deposit', 'ada', '100')).toEqual({
        status: 0,
        said: '',
        balances: { ada: '100' },
      });
      expect((await bank(store, 'transfer', 'ada', 'bob', '30')).balances).toEqual({
        ada: '70',
        bob: '30',
      });
      expect(await bank(store, 'transfer', 'ada', 'bob', '71')).toEqual({
        status: 1,
        said: 'refused: there is only 70\n',
        balances: { ada: '70', bob: '30' },
      });
      expect(await bank(store, 'withdraw', 'bob', '31')).toMatchObject({
        status: 1,
        said: 'there is only 30\n',
      });
    },
  );

  test.each([[[]], [['deposit', 'ada', '-1']], [['transfer', 'ada', '5']], [['rob', 'ada', '5']]])(
    'says how it is used when it is asked for %j',
    async (words) => {
      const { status, said } = await bank(join(folder.path, 'bank'), ...words);
      expect({ status, said }).toEqual({
        status: 1,
        said: expect.stringContaining('deposit NAME AMOUNT'),
      });
    },
  );
});

test('the chat brings what is said to all in the room, also to who was away', {
  timeout: 120_000,
}, async () => {
  const store = join(folder.path, 'chat');
  const serve = (port: string) =>
    new Command(process.execPath, [example, 'chat', 'serve', '--store', store], {
      env: { PORT: port },
    });
  await using server = serve('0');
  const [, url] = await server.printed(/The chat is at (\S+)/);
  const port = new URL(url!).port;
  const person = (name: string) =>
    new Command(process.execPath, [example, 'chat', name], { env: { PORT: port } });

  await using ada = person('ada');
  await ada.printed(/\[lobby\] ada joined/);
  const bob = person('bob');
  await ada.printed(/\[lobby\] bob joined/);
  bob.child.stdin!.write('hello from bob\n');
  await ada.printed(/\[lobby\] bob: hello from bob/);
  bob.child.stdin!.end();
  expect(await bob.ended()).toBe(0);

  // Who says what is the gateway's word, and nobody writes to a member but the chat itself.
  const mallory = await Client.open(`ws://127.0.0.1:${port}/ws/mallory?format=json`);
  const append = (ref: number, log: string, ...events: object[]) =>
    mallory.send({ op: 'append', ref, log, events });
  const said = (text: string) => ({ type: 'Said', payload: { room: 'lobby', who: 'bob', text } });
  append(1, 'account:ada', said('I owe you 100'));
  append(2, 'room:lobby', { type: 'Foo', payload: 1 });
  append(3, 'room:lobby', { type: 'Said', payload: null }, said('forged'));
  for (const ref of [1, 2]) {
    expect(await mallory.frame((frame) => frame.ref === ref)).toMatchObject({ code: 'forbidden' });
  }
  await ada.printed(/\[lobby\] mallory: forged/);
  await mallory.close();
  expect(ada.stdout).not.toContain('I owe you');

  // The server goes and comes again. Ada's terminal finds it, and goes on where it was.
  ada.child.stdin!.write('are you there?\n/join tea\nnobody here\n');
  await ada.printed(/\[tea\] ada: nobody here/);
  server.child.kill('SIGINT');
  expect(await server.ended()).toBe(0);
  await ada.printed(/trying again/);
  await using second = serve(port);
  await second.printed(/The chat is at/);
  await eventually(() => {
    ada.child.stdin!.write('still here\n');
    expect(ada.stdout).toMatch(/\[tea\] ada: still here/);
  });

  await using back = person('bob');
  await back.printed(/\[lobby\] ada: are you there\?/);
  // What came first comes first, and once; what was said in the other room is not his business.
  expect(back.stdout.match(/hello from bob/g)).toHaveLength(1);
  expect(back.stdout.indexOf('hello from bob')).toBeLessThan(back.stdout.indexOf('are you there'));
  expect(back.stdout).not.toMatch(/tea/);
  expect(ada.stdout.match(/nobody here/g)).toHaveLength(1);
});
