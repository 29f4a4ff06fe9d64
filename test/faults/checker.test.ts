/** The checker notices each kind of wrong history. */
import { expect, test } from 'vitest';
import { complaints, type Outcome } from './checker.ts';

const RIGHT: Outcome = {
  appends: [
    { device: 'a', log: 'l', marks: ['1'], told: 'settled', ids: ['1-0'] },
    { device: 'a', log: 'l', marks: ['2', '3'], told: 'kept' },
    { device: 'b', log: 'l', marks: ['4'], told: 'refused' },
    { device: 'b', log: 'l', marks: ['5'], told: 'unknown' },
  ],
  logs: {
    l: [
      { id: '1-0', mark: '1' },
      { id: '2-0', mark: '2' },
      { id: '2-1', mark: '3' },
    ],
  },
  views: [{ device: 'b', log: 'l', marks: ['1', '2', '3'] }],
};

function withLog(...marks: string[]): Outcome {
  return {
    ...RIGHT,
    logs: { l: marks.map((mark, index) => ({ id: `${index}-0`, mark })) },
    views: [],
  };
}

test('a right history is right', () => {
  expect(complaints(RIGHT)).toEqual([]);
});

test.each([
  ['missing', withLog('2', '3'), /1 of a in l was settled and is missing/],
  ['kept and missing', withLog('1'), /2, 3 of a in l was kept and is missing/],
  ['doubled', withLog('1', '1', '2', '3'), /there 2 times/],
  ['swapped', withLog('2', '3', '1'), /2, 3 of a in l comes before 1/],
  ['torn', withLog('1', '2', '5', '3'), /torn/],
  ['half', withLog('1', '2'), /torn/],
  ['refused and there', withLog('1', '2', '3', '4'), /4 of b in l was refused and is there/],
  ['of nobody', withLog('1', '2', '3', '9'), /nobody has appended l 9/],
  [
    'told other IDs',
    { ...RIGHT, appends: [{ ...RIGHT.appends[0]!, ids: ['9-9'] }, ...RIGHT.appends.slice(1)] },
    /was told 9-9 and has 1-0/,
  ],
  [
    'a view that lacks one',
    { ...RIGHT, views: [{ device: 'b', log: 'l', marks: ['1', '3'] }] },
    /the view of b on l has 2 events of 3, and differs at 1/,
  ],
] as const)('notices what is %s', (_, outcome, told) => {
  expect(complaints(outcome).join('\n')).toMatch(told);
});
