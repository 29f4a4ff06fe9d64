import { expect, test } from 'vitest';
import { NODE_FRAMING } from '../../../../src/gateway/node/frame.ts';
import { WholeMessages, wireOf } from '../../../../src/gateway/sockets/socket-wire.ts';
import { jsonFormat } from '../../../../src/protocol/json-format.ts';
import { textFormat } from '../../../../src/protocol/text.ts';

test('a format has one wire in a framing, so that batches share their frames', () => {
  expect(wireOf(NODE_FRAMING, jsonFormat)).toBe(wireOf(NODE_FRAMING, jsonFormat));
  expect(wireOf(NODE_FRAMING, jsonFormat)).not.toBe(wireOf(NODE_FRAMING, textFormat));
  const { framing } = new WholeMessages({ send() {} });
  expect(wireOf(framing, jsonFormat)).not.toBe(wireOf(NODE_FRAMING, jsonFormat));
  expect(wireOf(framing, jsonFormat)).toBe(
    wireOf(new WholeMessages({ send() {} }).framing, jsonFormat),
  );
});

test('without frames of its own a socket sends messages, one by one and whole', () => {
  const sent: string[] = [];
  const messages = new WholeMessages({ send: (message) => void sent.push(message) });
  const frame = messages.framing.whole(['a', 'bc']);
  expect(frame.length).toBe(3);
  messages.write(frame);
  expect(sent).toEqual(['a', 'bc']);
  expect(wireOf(messages.framing, jsonFormat).pieces).toBeUndefined();
});
