import type { Command, Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { ScriptCalls } from '../../../../../src/stores/redis/place/written-call.ts';

const SCRIPT = { source: 'return 1', digest: 'f'.repeat(40) };

/** What goes to the network for a call with these arguments after the keys. */
async function sent(keys: readonly string[], values: readonly (string | Uint8Array)[]) {
  let written: string | Buffer = '';
  const redis = {
    sendCommand(command: Command) {
      written = command.toWritable({});
      return Promise.resolve();
    },
  };
  const calls = new ScriptCalls(redis as unknown as Redis);
  for (let time = 1; time <= 2; time += 1) {
    calls.begin(SCRIPT, keys.length, values.length);
    for (const key of keys) calls.text(key);
    for (const value of values) {
      if (typeof value === 'string') calls.text(value);
      else calls.bytes(value);
    }
    await calls.send();
  }
  return Buffer.from(written);
}

/** The protocol as its specification has it. */
function expected(keys: readonly string[], values: readonly (string | Uint8Array)[]) {
  const all = ['EVALSHA', SCRIPT.digest, String(keys.length), ...keys, ...values];
  const parts = all.flatMap((each) => {
    const bytes = Buffer.from(each);
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')];
  });
  return Buffer.concat([Buffer.from(`*${all.length}\r\n`), ...parts]);
}

describe('a script call', () => {
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
});
