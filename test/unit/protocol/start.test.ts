import { expect, test } from 'vitest';
import { parseStart } from '../../../src/protocol/start.ts';

test('the whole log is the default', () => {
  expect(parseStart({})).toEqual({ after: '0-0' });
});

test('after an event, or now', () => {
  expect(parseStart({ after: '5-1' })).toEqual({ after: '5-1' });
  expect(parseStart({ after: '5' })).toEqual({ after: '5-0' });
  expect(parseStart({ after: 'now' })).toBe('now');
});

test.each([
  ['2018-05-21', Date.UTC(2018, 4, 21)],
  ['2020-02-29', Date.UTC(2020, 1, 29)],
  ['2020-02-28T24:00:00Z', Date.UTC(2020, 1, 29)],
  ['2018-05-21T15:03Z', Date.UTC(2018, 4, 21, 15, 3)],
  ['2018-05-21T15:03:50.474Z', Date.UTC(2018, 4, 21, 15, 3, 50, 474)],
  ['2018-05-21T15:03:50+02:00', Date.UTC(2018, 4, 21, 13, 3, 50)],
  ['2018-05-21T15:03:50 02:00', Date.UTC(2018, 4, 21, 13, 3, 50)],
])('since %s', (text, time) => {
  expect(parseStart({ since: text })).toEqual({ since: time });
});

test.each([
  '',
  'yesterday',
  '2018-05-21T15:03:50',
  '2018-13-45',
  '1526919030474',
  '2020-02-30',
  '2020-02-30T10:00:00Z',
  '2020-04-31T23:59:59.999-11:00',
  '1900-02-29',
  '2018-05-21T25:00:00Z',
  '2018-05-21T15:03:50+24:00',
])('since %j is refused', (text) => {
  expect(() => parseStart({ since: text })).toThrow(/^since must be an ISO 8601 time/);
});

test('of all days that can be written, those that are in the calendar are taken', () => {
  for (const year of [0, 4, 1900, 1970, 2000, 2023, 2024, 9999]) {
    const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
    const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (let month = 0; month <= 13; month += 1) {
      for (let day = 0; day <= 32; day += 1) {
        const text = [`${year}`.padStart(4, '0'), ...[month, day].map(twoDigits)].join('-');
        const there = day >= 1 && day <= (days[month - 1] ?? 0);
        expect([text, isTaken(text), isTaken(`${text}T12:00Z`)]).toEqual([text, there, there]);
      }
    }
  }
});

const twoDigits = (value: number) => `${value}`.padStart(2, '0');

function isTaken(since: string): boolean {
  try {
    parseStart({ since });
    return true;
  } catch {
    return false;
  }
}

test.each(['', 'x', '5-', '-1', '18446744073709551616-0'])('after %j is refused', (text) => {
  expect(() => parseStart({ after: text })).toThrow(/^after must be an event ID/);
});

test('both together are refused', () => {
  expect(() => parseStart({ after: 'now', since: '2018-05-21' })).toThrow(
    'since cannot be combined with after',
  );
});

test.each([1, 100, 10_000, '1', '0100', '10000'])('the last %j', (last) => {
  expect(parseStart({ last })).toEqual({ last: Number(last) });
});

test.each([0, -1, 1.5, 10_001, Number.NaN, Infinity, '', '0', '-1', '1e3', ' 1', '10001', 'all'])(
  'the last %j are refused',
  (last) => {
    expect(() => parseStart({ last })).toThrow('last must be a whole number from 1 to 10000');
  },
);

test('the last so many, and somewhere else, are refused', () => {
  expect(() => parseStart({ last: 1, after: 'now' })).toThrow('last cannot be combined with after');
  expect(() => parseStart({ last: 1, since: '2018-05-21' })).toThrow(
    'last cannot be combined with since',
  );
});
