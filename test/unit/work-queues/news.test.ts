import { expect, test } from 'vitest';
import type { EventId } from '../../../src/event/event-id.ts';
import { parseLogName } from '../../../src/event/log-name.ts';
import { newsOf } from '../../../src/work-queues/news.ts';

const stretch = (log: string, first: string, last = first) => ({
  ...{ log: parseLogName(log), first: first as EventId, last: last as EventId },
});

test('tells of each log once, in the order of the feed: of the first event and the last', () => {
  const told = newsOf(
    [stretch('a:1', '1-0', '1-3'), stretch('a:2', '2-0'), stretch('a:1', '3-0', '3-1')],
    'a',
  );
  expect(told).toEqual([stretch('a:1', '1-0', '3-1'), stretch('a:2', '2-0')]);
});

test('tells of one category, or of all logs but those of dead letters', () => {
  const all = [stretch('a:1', '1-0'), stretch('ab:1', '2-0'), stretch('dead-letter:a', '3-0')];
  const names = (category: string) => newsOf(all, category).map(({ log }) => log);
  expect(names('a')).toEqual(['a:1']);
  expect(names('')).toEqual(['a:1', 'ab:1']);
  expect(names('dead-letter')).toEqual(['dead-letter:a']);
});
