import { expect, test } from 'vitest';
import { frameOf, NODE_FRAMING } from '../../../../src/gateway/node/frame.ts';

test.each([
  [0, 2],
  [125, 2],
  [126, 4],
  [65_535, 4],
  [65_536, 10],
])('a message of %i bytes has a header of %i', (length, header) => {
  const frame = frameOf(['x'.repeat(length)]);
  expect(frame.length).toBe(header + length);
  expect(frame[0]).toBe(0x81);
  const stated =
    header === 2
      ? frame[1]
      : header === 4
        ? frame.readUInt16BE(2)
        : Number(frame.readBigUInt64BE(2));
  expect(stated).toBe(length);
});

test('lengths count bytes, not characters', () => {
  const frame = frameOf(['🎉ä']);
  expect(frame[1]).toBe(6);
  expect(frame.subarray(2).toString()).toBe('🎉ä');
});

test('several messages are several frames, one after the other', () => {
  expect(frameOf(['a', 'bc'])).toEqual(Buffer.from([0x81, 1, 97, 0x81, 2, 98, 99]));
});

test('a message in fragments: the first says what it is, the last that it is whole', () => {
  const { part } = NODE_FRAMING;
  const parts = [part('a', true, false), part('b', false, false), part('c', false, true)];
  expect(parts.map(([first]) => first)).toEqual([0x01, 0x00, 0x80]);
  expect(part('abc', true, true)).toEqual(frameOf(['abc']));
});
