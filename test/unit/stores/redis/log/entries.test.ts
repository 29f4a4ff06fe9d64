import { describe, expect, it } from 'vitest';
import { decodeEntries, decodePublication } from '../../../../../src/stores/redis/log/entries.ts';

describe('a publication', () => {
  it('is read with its events', () => {
    const bytes = Buffer.from('1-0\n2-0 4 1 7 2\ntypeTpayloadhi2-1 4 1 7 0\ntypeTpayload');
    expect(decodePublication(bytes)).toMatchObject({
      previous: '1-0',
      events: [
        { id: '2-0', type: 'T', data: 'hi' },
        { id: '2-1', type: 'T', data: '' },
      ],
    });
  });

  it.each([
    ['nothing', ''],
    ['no version', 'hello'],
    ['a version that is none', 'x-1\n2-0 4 1\ntypeT'],
    ['no events', '1-0\n'],
    ['an event by ID only', '1-0\n2-0\n'],
    ['an ID that is none', '1-0\ntwo 4 1\ntypeT'],
    ['a negative length', '1-0\n1-0 -7\n'],
    ['lengths that take back what was read', '1-0\n2-0 4 -4\ntype'],
    ['a length that is none', '1-0\n2-0 four 1\ntypeT'],
    ['more than there is', '1-0\n2-0 4 100\ntypeT'],
    ['a line without end', '1-0\n2-0 4 1'],
  ])('that has %s is none', (_, text) => {
    expect(decodePublication(Buffer.from(text))).toBeUndefined();
  });
});

it('entries without type or payload are of type unknown, with their fields as payload', () => {
  const [entry] = decodeEntries(Buffer.from('3-0 4 1 5 2\nnameXotherhi'))!;
  expect(entry).toMatchObject({ type: 'unknown', payload: { name: 'X', other: 'hi' } });
});
