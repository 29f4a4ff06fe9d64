import { expect, test } from 'vitest';
import { parseStart } from '../../../src/protocol/start.ts';

test('the whole log is the default', () => {
  expect(parseStart(undefined, undefined)).toEqual({ after: '0-0' });
});

test('after an event, or now', () => {
  expect(parseStart('5-1', undefined)).toEqual({ after: '5-1' });
  expect(parseStart('5', undefined)).toEqual({ after: '5-0' });
  expect(parseStart('now', undefined)).toBe('now');
});

test.each([
  ['2018-05-21', Date.UTC(2018, 4, 21)],
  ['2018-05-21T15:03Z', Date.UTC(2018, 4, 21, 15, 3)],
  ['2018-05-21T15:03:50.474Z', Date.UTC(2018, 4, 21, 15, 3, 50, 474)],
  ['2018-05-21T15:03:50+02:00', Date.UTC(2018, 4, 21, 13, 3, 50)],
  ['2018-05-21T15:03:50 02:00', Date.UTC(2018, 4, 21, 13, 3, 50)],
])('since %s', (text, time) => {
  expect(parseStart(undefined, text)).toEqual({ since: time });
});

test.each(['', 'yesterday', '2018-05-21T15:03:50', '2018-13-45', '1526919030474'])(
  'since %j is refused',
  (text) => {
    expect(() => parseStart(undefined, text)).toThrow(/^since must be an ISO 8601 time/);
  },
);

test.each(['', 'x', '5-', '-1', '18446744073709551616-0'])('after %j is refused', (text) => {
  expect(() => parseStart(text, undefined)).toThrow(/^after must be an event ID/);
});

test('both together are refused', () => {
  expect(() => parseStart('now', '2018-05-21')).toThrow('since cannot be combined with after');
});
