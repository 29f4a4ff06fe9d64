import { expect, test } from 'vitest';
import { makeEventId } from '../../../src/event/event-id.ts';
import { parseLogName } from '../../../src/event/log-name.ts';
import { BEFORE_FIRST, type FeedPlace } from '../../../src/feed/cursor.ts';
import { endCursor, type FeedFacts, placeInFeed } from '../../../src/feed/standing.ts';

const mark = { log: parseLogName('account:1'), last: makeEventId(7, 0) };
const other = { ...mark, last: makeEventId(8, 0) };
const place = (position: number, change: Partial<FeedPlace> = {}): FeedPlace => ({
  ...{ position, mark, within: undefined },
  ...change,
});
/** A feed of ten entries, all kept. */
const facts = (position: number, change: Partial<FeedFacts> = {}): FeedFacts => ({
  ...{ first: 1, next: position + 1, end: 10, last: other, mark },
  ...change,
});
const begun = { within: { stretch: 0, after: makeEventId(6, 0) } };
const startAt = (position: number): FeedPlace => ({ ...BEFORE_FIRST, position });

test.each<[string, FeedPlace, FeedFacts]>([
  ['within the feed', place(4), facts(4)],
  ['at its end', place(10), facts(10)],
  ['at its start', BEFORE_FIRST, facts(0, { mark: undefined })],
  [
    'whose entry was trimmed, with nothing after it',
    place(4),
    facts(4, { first: 5, mark: undefined }),
  ],
  ['that nobody can look at any more', startAt(4), facts(4)],
  ['within an entry', place(4, begun), facts(4)],
])('a cursor %s goes on', (_, from, known) => {
  expect(placeInFeed(from, known)).toEqual({ standing: 'whole', from });
});

test('entries after the cursor that are gone are told, and what comes then is kept', () => {
  const trimmed = { first: 8, next: 8, mark: undefined };
  for (const from of [place(4), place(4, begun)]) {
    expect(placeInFeed(from, facts(4, trimmed))).toEqual({ standing: 'trimmed', from: startAt(7) });
  }
  // Nothing is kept at all.
  expect(placeInFeed(BEFORE_FIRST, facts(0, { first: 11, next: 11, mark: undefined }))).toEqual({
    standing: 'trimmed',
    from: startAt(10),
  });
});

test.each<[string, FeedPlace, FeedFacts]>([
  ['after the end', place(11), facts(11, { mark: undefined })],
  ['within an entry after the end', place(10, begun), facts(10, { mark: undefined })],
  ['where another entry has the place', place(4), facts(4, { mark: other })],
  [
    'where another log has the place',
    place(4),
    facts(4, { mark: { ...mark, log: parseLogName('account:2') } }),
  ],
])('a cursor %s is of what was lost: its reader starts afresh', (_, from, known) => {
  expect(placeInFeed(from, known)).toEqual({ standing: 'reset', from: startAt(0) });
  expect(placeInFeed(from, { ...known, first: 3 }).from).toEqual(startAt(2));
});

test('the cursor at the end names the last entry, where it is kept', () => {
  expect(endCursor({ end: 10, last: mark })).toBe('10/account:1/7-0');
  expect(endCursor({ end: 10, last: undefined })).toBe('10');
});
