import { expect, test } from 'vitest';
import { makeEventId } from '../../../src/event/event-id.ts';
import { parseLogName } from '../../../src/event/log-name.ts';
import {
  BEFORE_FIRST,
  type FeedPlace,
  markedPosition,
  readFeedCursor,
  writeFeedCursor,
} from '../../../src/feed/cursor.ts';

const mark = { log: parseLogName('account:1'), last: makeEventId(7, 2) };
const within = { stretch: 3, after: makeEventId(6, 0) };

test.each<[string, FeedPlace]>([
  ['0', BEFORE_FIRST],
  ['41', { position: 41, mark: undefined, within: undefined }],
  ['41/account:1/7-2', { position: 41, mark, within: undefined }],
  ['41/account:1/7-2/3/6-0', { position: 41, mark, within }],
])('%s is read as it was written', (cursor, place) => {
  expect(writeFeedCursor(place)).toBe(cursor);
  expect(readFeedCursor(cursor)).toEqual(place);
});

test.each([
  ...['', '-1', '01', '1.5', '99999999999999999', '1/account:1', '1/account:1/7-2/3'],
  ...['1/a b/7-2', '1/account:1/7', '1/account:1/7-2/x/6-0', '1/account:1/7-2/3/6'],
  ...['1/account:1/7-2/3/6-0/0', 7 as never, undefined as never],
])('%j is no cursor, and says whose', (cursor) => {
  expect(() => readFeedCursor(cursor, 'from')).toThrow(
    expect.objectContaining({ code: 'invalid_feed_cursor', field: 'from' }) as Error,
  );
});

test('the mark of an entry that was begun is about the next one', () => {
  expect(markedPosition({ position: 41, mark, within: undefined })).toBe(41);
  expect(markedPosition({ position: 41, mark, within })).toBe(42);
});
