import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Command, Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Script } from '../../../../../src/stores/redis/place/scripts.ts';
import { CallWriter } from '../../../../../src/stores/redis/place/written-call.ts';

const SCRIPT: Script = { source: 'return 1', digest: 'f'.repeat(40), keys: '0…' };

type Values = readonly (string | Uint8Array)[];

function send(
  redis: Pick<Redis, 'sendCommand'>,
  keys: readonly string[],
  values: Values,
  calls = new CallWriter(redis),
): Promise<unknown> {
  calls.begin(SCRIPT, keys, values.length);
  for (const value of values) {
    if (typeof value === 'string') calls.text(value);
    else calls.bytes(value);
  }
  return calls.send();
}

/** The command that the client is given for a call, the second one of the same writer. */
async function commandOf(keys: readonly string[], values: Values): Promise<Command> {
  const given: Command[] = [];
  const redis = {
    sendCommand(command: Command) {
      given.push(command);
      return Promise.resolve();
    },
  };
  const calls = new CallWriter(redis);
  await send(redis, keys, values, calls);
  await send(redis, keys, values, calls);
  return given[1]!;
}

/** What goes to the network for a call. */
async function sent(keys: readonly string[], values: Values): Promise<Buffer> {
  return Buffer.from((await commandOf(keys, values)).toWritable({}));
}

/** The protocol as its specification has it. */
function expected(keys: readonly string[], values: Values): Buffer {
  const all = ['EVALSHA', SCRIPT.digest, String(keys.length), ...keys, ...values];
  const parts = all.flatMap((each) => {
    const bytes = Buffer.from(each);
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')];
  });
  return Buffer.concat([Buffer.from(`*${all.length}\r\n`), ...parts]);
}

describe('a written call', () => {
  it.each([
    ['no arguments', [], []],
    ['short text', ['account:1:log'], ['type', '', '7']],
    ['short text beyond ASCII', [], ['Zoë', '🙂', '\u0080', '\u007f']],
    ['long text', [], ['a'.repeat(64), 'a'.repeat(65), 'é'.repeat(65), '🙂'.repeat(1_000)]],
    [
      'lengths of every number of digits',
      [],
      [1, 9, 10, 99, 100, 1_000_000].map((n) => 'x'.repeat(n)),
    ],
    ['bytes', [], [new Uint8Array([0, 13, 10, 255]), new Uint8Array(0), new Uint8Array(100_000)]],
  ])('is written as the protocol asks: %s', async (_name, keys, values) => {
    expect((await sent(keys, values)).equals(expected(keys, values))).toBe(true);
  });

  it('keeps nothing of the call before', async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => `account:${index}:log`);
    expect((await sent(many, many)).equals(expected(many, many))).toBe(true);
  });

  it('names its keys to the client, and is sent by the first of them', async () => {
    const keys = ['{account:1:log}:meta', 'account:1:log', 'feed'];
    const command = await commandOf(keys, ['text', new Uint8Array([1])]);
    expect(command.getKeys()).toEqual(keys);
    expect(command.getSlot()).toBe(new Command('get', ['account:1:log']).getSlot());
    expect(command.getSlot()).not.toBe(new Command('get', ['feed']).getSlot());
  });

  it('goes to the network through ioredis as it was written, and its answer comes back', async () => {
    const call = expected(['a'], ['é', new Uint8Array([0, 255])]);
    let heard = Buffer.alloc(0);
    const server = createServer((socket) => {
      socket.on('data', (bytes) => {
        heard = Buffer.concat([heard, bytes]);
        if (heard.length >= call.length) socket.write('$3\r\nYes\r\n');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    // So that it says nothing by itself.
    const silent = { protocol: 2, enableReadyCheck: false, disableClientInfo: true } as const;
    const redis = new Redis(port, '127.0.0.1', { ...silent, lazyConnect: true });
    onTestFinished(() => {
      redis.disconnect();
      server.close();
    });
    await redis.connect();
    expect(await send(redis, ['a'], ['é', new Uint8Array([0, 255])])).toBe('Yes');
    expect(heard.equals(call)).toBe(true);
  });
});
