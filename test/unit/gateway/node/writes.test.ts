import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { writeInTurn } from '../../../../src/gateway/node/writes.ts';

/** Remembers what came in one call of the operating system. */
function recorder() {
  const calls: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      calls.push(chunk.toString());
      done();
    },
    writev(chunks, done) {
      calls.push(chunks.map(({ chunk }) => chunk.toString()).join('+'));
      done();
    },
  });
  return { stream, calls };
}

describe('writes of one turn', () => {
  test('go out together, in order, and each stream for itself', async () => {
    const a = recorder();
    const b = recorder();
    writeInTurn(a.stream, Buffer.from('1'));
    writeInTurn(b.stream, Buffer.from('2'));
    writeInTurn(a.stream, Buffer.from('3'));
    expect([a.calls, b.calls]).toEqual([[], []]);
    await nextTurn();
    expect([a.calls, b.calls]).toEqual([['1+3'], ['2']]);
  });

  test('of the next turn go out by themselves', async () => {
    const { stream, calls } = recorder();
    writeInTurn(stream, Buffer.from('1'));
    await nextTurn();
    writeInTurn(stream, Buffer.from('2'));
    await nextTurn();
    expect(calls).toEqual(['1', '2']);
  });

  test('count as waiting until then', async () => {
    const { stream } = recorder();
    writeInTurn(stream, Buffer.from('four'));
    expect(stream.writableLength).toBe(4);
    await nextTurn();
    expect(stream.writableLength).toBe(0);
  });

  test('go out before an end', async () => {
    const { stream, calls } = recorder();
    writeInTurn(stream, Buffer.from('1'));
    writeInTurn(stream, Buffer.from('2'));
    stream.end();
    expect(calls).toEqual(['1+2']);
  });

  test('to a stream that was cut are dropped', async () => {
    const { stream, calls } = recorder();
    writeInTurn(stream, Buffer.from('1'));
    stream.destroy();
    await nextTurn();
    expect(calls).toEqual([]);
  });
});
