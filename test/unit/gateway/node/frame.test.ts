import { expect, test } from 'vitest';
import { frameEncoder, frameOf } from '../../../../src/gateway/node/frame.ts';
import { jsonFormat } from '../../../../src/protocol/json-format.ts';
import { textFormat } from '../../../../src/protocol/text.ts';

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

test('a format has one encoder, so that batches share their frames', () => {
  expect(frameEncoder(jsonFormat)).toBe(frameEncoder(jsonFormat));
  expect(frameEncoder(jsonFormat)).not.toBe(frameEncoder(textFormat));
});
