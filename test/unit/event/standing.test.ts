/** The table *Whole, trimmed or reset*, row by row, and what must hold whatever the facts are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareEventIds,
  type EventId,
  isAfter,
  makeEventId,
  predecessorOf,
  ZERO_ID,
} from '../../../src/event/event-id.ts';
import { type LogFacts, standingOf } from '../../../src/event/standing.ts';

const id = (text: string) => text as EventId;

/** A log that gave out 10-0, 20-0, … 90-0 and still has them all. */
const INTACT: LogFacts = {
  version: id('90-0'),
  first: id('10-0'),
  trimmed: ZERO_ID,
  maxDeleted: ZERO_ID,
  othersRemoved: false,
  holdsCursor: false,
};

const WHOLE = { state: 'whole' };
const RESET = { state: 'reset', version: '90-0' };
const trimmed = (resumeAfter: string) => ({ state: 'trimmed', resumeAfter });

type Row = [situation: string, cursor: string, facts: Partial<LogFacts>, standing: object];

function check(_situation: string, cursor: string, facts: Partial<LogFacts>, standing: object) {
  expect(standingOf(id(cursor), { ...INTACT, ...facts })).toEqual(standing);
}

describe('whole: nothing is told', () => {
  it.each<Row>([
    ['the event is there', '50-0', { holdsCursor: true }, WHOLE],
    [
      'the event is there and others were removed',
      '50-0',
      { holdsCursor: true, othersRemoved: true },
      WHOLE,
    ],
    ['it is the last one trimmed', '30-0', { trimmed: id('30-0'), first: id('40-0') }, WHOLE],
    [
      'it is the last one trimmed, of all',
      '90-0',
      { trimmed: id('90-0'), first: undefined },
      WHOLE,
    ],
    ['it was deleted', '50-0', { maxDeleted: id('50-0'), othersRemoved: true }, WHOLE],
    ['it may have been deleted', '40-0', { maxDeleted: id('50-0'), othersRemoved: true }, WHOLE],
    [
      'it was the last one, and deleted',
      '90-0',
      { maxDeleted: id('90-0'), othersRemoved: true },
      WHOLE,
    ],
    [
      'it was the last one, and trimmed by others',
      '90-0',
      { first: undefined, othersRemoved: true },
      WHOLE,
    ],
    [
      'it came right before the first kept',
      '39-9',
      { first: id('39-10'), othersRemoved: true },
      WHOLE,
    ],
    ['0-0, nothing was trimmed', '0-0', {}, WHOLE],
    ['0-0, some were deleted', '0-0', { maxDeleted: id('20-0'), othersRemoved: true }, WHOLE],
    ['0-0, the log is new', '0-0', { version: ZERO_ID, first: undefined }, WHOLE],
  ])('%s', check);
});

describe('trimmed: goes on with the first kept event', () => {
  it.each<Row>([
    ['below our mark', '20-0', { trimmed: id('30-0'), first: id('40-0') }, trimmed('30-0')],
    [
      'below our mark, nothing is left',
      '20-0',
      { trimmed: id('90-0'), first: undefined },
      trimmed('90-0'),
    ],
    [
      '0-0, and there was a trim',
      '0-0',
      { trimmed: id('30-0'), first: id('40-0') },
      trimmed('30-0'),
    ],
    [
      'below our mark, on no event',
      '25-7',
      { trimmed: id('30-0'), first: id('40-0') },
      trimmed('30-0'),
    ],
    [
      'others trimmed without a mark',
      '20-0',
      { first: id('40-1'), othersRemoved: true },
      trimmed('40-0'),
    ],
    [
      'others trimmed everything',
      '20-0',
      { first: undefined, othersRemoved: true },
      trimmed('90-0'),
    ],
    ['0-0, and others trimmed', '0-0', { first: id('40-1'), othersRemoved: true }, trimmed('40-0')],
    [
      'at our mark, and others trimmed further',
      '30-0',
      { trimmed: id('30-0'), first: id('60-1'), othersRemoved: true },
      trimmed('60-0'),
    ],
    [
      'above our mark, and others trimmed further',
      '40-0',
      { trimmed: id('30-0'), first: id('60-1'), othersRemoved: true },
      trimmed('60-0'),
    ],
    [
      'below our mark, and others deleted',
      '20-0',
      { trimmed: id('30-0'), first: id('40-0'), maxDeleted: id('50-0'), othersRemoved: true },
      trimmed('30-0'),
    ],
  ])('%s', check);
});

describe('reset: the store has lost what the reader has seen', () => {
  it.each<Row>([
    ['beyond the version', '95-0', {}, RESET],
    ['beyond the version, one sequence', '90-1', {}, RESET],
    [
      'beyond the version, of a trimmed log',
      '95-0',
      { trimmed: id('90-0'), first: undefined },
      RESET,
    ],
    [
      'beyond the version, others removed some',
      '95-0',
      { othersRemoved: true, first: id('40-0') },
      RESET,
    ],
    ['lost, and newer events have come', '55-0', {}, RESET],
    [
      'lost, and newer events have come, of a trimmed log',
      '55-0',
      { trimmed: id('30-0'), first: id('40-0') },
      RESET,
    ],
    [
      'lost, and others trimmed below it',
      '55-0',
      { first: id('40-0'), othersRemoved: true },
      RESET,
    ],
    [
      'lost, and a deletion below it explains nothing',
      '55-0',
      { maxDeleted: id('50-0'), othersRemoved: true },
      RESET,
    ],
    ['before the first event, and nobody removed any', '5-0', {}, RESET],
    [
      'between our mark and the first kept, and nobody else removed any',
      '35-0',
      { trimmed: id('30-0'), first: id('40-0') },
      RESET,
    ],
  ])('%s', check);

  it('on a log that has no events and never had', () => {
    const facts = { ...INTACT, version: ZERO_ID, first: undefined };
    expect(standingOf(id('5-0'), facts)).toEqual({ state: 'reset', version: ZERO_ID });
  });
});

/** A log's life: events given out, then trimmed by us, trimmed by others, and a tail that is lost. */
const life = fc
  .record({
    given: fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 }),
    ourTrim: fc.integer({ min: 0, max: 12 }),
    theirTrim: fc.integer({ min: 0, max: 12 }),
    lost: fc.integer({ min: 0, max: 12 }),
    newer: fc.integer({ min: 0, max: 3 }),
    seen: fc.integer({ min: 0, max: 11 }),
  })
  .map(({ given, ourTrim, theirTrim, lost, newer, seen }) => {
    const all = given.toSorted((a, b) => a - b).map((time) => makeEventId(time, 0));
    const surviving = all.slice(0, Math.max(0, all.length - lost));
    const appended = Array.from({ length: newer }, (_, index) => makeEventId(100 + index, 0));
    const history = [...surviving, ...appended];
    const mark = history[Math.min(ourTrim, history.length) - 1] ?? ZERO_ID;
    const afterOurs = history.slice(Math.min(ourTrim, history.length));
    const kept = afterOurs.slice(Math.min(theirTrim, afterOurs.length));
    const cursor = all[Math.min(seen, all.length - 1)]!;
    const facts: LogFacts = {
      version: history.at(-1) ?? ZERO_ID,
      first: kept[0],
      trimmed: mark,
      maxDeleted: ZERO_ID,
      othersRemoved: afterOurs.length > kept.length,
      holdsCursor: kept.includes(cursor),
    };
    return { history, kept, cursor, facts };
  });

describe('whatever happens to a log', () => {
  it('nobody resumes over a hole in silence', () => {
    fc.assert(
      fc.property(life, ({ history, kept, cursor, facts }) => {
        if (standingOf(cursor, facts).state !== 'whole') return;
        // Whole: all that ever came after the cursor is still there.
        const after = (events: readonly EventId[]) =>
          events.filter((each) => isAfter(each, cursor));
        expect(after(kept)).toEqual(after(history));
      }),
      { numRuns: 5000 },
    );
  });

  it('who has seen everything that was kept and lost nothing is told nothing', () => {
    fc.assert(
      fc.property(life, ({ history, cursor, facts }) => {
        if (history.at(-1) === cursor) expect(standingOf(cursor, facts)).toEqual(WHOLE);
      }),
    );
  });

  it('who has seen what is lost is told, unless a trim has gone over it', () => {
    fc.assert(
      fc.property(life, ({ history, kept, cursor, facts }) => {
        if (history.includes(cursor)) return;
        const goneOver = facts.othersRemoved && (kept[0] === undefined || isAfter(kept[0], cursor));
        const { state } = standingOf(cursor, facts);
        if (isAfter(facts.trimmed, cursor) && !isAfter(cursor, facts.version)) {
          expect(state).toBe('trimmed');
        } else if (!goneOver || isAfter(cursor, facts.version)) {
          expect(state).toBe('reset');
        } else {
          expect(state).not.toBe('whole');
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('a trimmed reader goes on right before the first kept event', () => {
    fc.assert(
      fc.property(life, ({ kept, cursor, facts }) => {
        const standing = standingOf(cursor, facts);
        if (standing.state !== 'trimmed') return;
        expect(isAfter(standing.resumeAfter, cursor)).toBe(true);
        expect(kept.filter((each) => isAfter(each, standing.resumeAfter))).toEqual(kept);
        expect(compareEventIds(standing.resumeAfter, facts.version)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('0-0 always gets everything that is kept, and learns of trims', () => {
    fc.assert(
      fc.property(life, ({ history, kept, facts }) => {
        const standing = standingOf(ZERO_ID, { ...facts, holdsCursor: false });
        const complete = kept.length === history.length;
        expect(standing.state).toBe(complete ? 'whole' : 'trimmed');
        if (standing.state === 'trimmed' && kept[0] !== undefined) {
          expect(compareEventIds(standing.resumeAfter, predecessorOf(kept[0]))).toBeLessThanOrEqual(
            0,
          );
        }
      }),
    );
  });
});
