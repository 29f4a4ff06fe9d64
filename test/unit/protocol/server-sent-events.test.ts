import { expect, test } from 'vitest';
import { ServerSentEventReader } from '../../../src/protocol/server-sent-events.ts';

function read(text: string) {
  return new ServerSentEventReader().read(text);
}

test.each([
  ['a message without a name', 'data: a\n\n', [['message', '', 'a']]],
  ['several lines', 'data: a\ndata:\ndata: b\n\n', [['message', '', 'a\n\nb']]],
  ['a name, an ID', 'event: live\nid: 5-1\ndata: {}\n\n', [['live', '5-1', '{}']]],
  [
    'an ID that stays',
    'id: 5-1\ndata: a\n\ndata: b\n\n',
    [
      ['message', '5-1', 'a'],
      ['message', '5-1', 'b'],
    ],
  ],
  ['an ID that is taken back', 'id: 5-1\n\nid\ndata: a\n\n', [['message', '', 'a']]],
  ['an ID that is none', 'id: a\0b\ndata: a\n\n', [['message', '', 'a']]],
  ['no data', 'event: live\n\ndata: a\n\n', [['message', '', 'a']]],
  [
    'one space, not two',
    'data:  a\n\ndata:b\n\n',
    [
      ['message', '', ' a'],
      ['message', '', 'b'],
    ],
  ],
  [
    'comments and fields that are not known',
    ': a\n:\nother: b\ndata: c\n\n',
    [['message', '', 'c']],
  ],
  ['a mark of byte order', '\ufeffdata: a\n\n', [['message', '', 'a']]],
  ['lines that end in other ways', 'data: a\rdata: b\r\n\r\n', [['message', '', 'a\nb']]],
  ['an end in the middle', 'data: a\n\ndata: b\n', [['message', '', 'a']]],
])('%s', (_what, text, expected) => {
  const told = read(text).map(({ event, lastEventId, data }) => [event, lastEventId, data]);
  expect(told).toEqual(expected);
  // Cut into its characters it is the same.
  const reader = new ServerSentEventReader();
  const piecemeal = [...text].flatMap((character) => reader.read(character));
  expect(piecemeal).toEqual(read(text));
});

test('the ID moves with the message, not with its line', () => {
  const reader = new ServerSentEventReader();
  reader.read('id: 5-1\ndata: a\n');
  expect(reader.lastEventId).toBe('');
  reader.read('\n');
  expect(reader.lastEventId).toBe('5-1');
});

test('only digits say when to come back', () => {
  const reader = new ServerSentEventReader();
  reader.read('retry: soon\n');
  expect(reader.retry).toBeUndefined();
  reader.read('retry: 1500\n');
  expect(reader.retry).toBe(1_500);
});
