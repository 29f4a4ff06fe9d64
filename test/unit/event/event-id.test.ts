import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInput } from '../../../src/event/error.ts';
import {
  compareEventIds,
  cursorBefore,
  type EventId,
  eventIdParts,
  isAfter,
  isEventId,
  laterOf,
  MAX_ID,
  makeEventId,
  nextEventId,
  parseEventId,
  predecessorOf,
  successorOf,
  ZERO_ID,
} from '../../../src/event/event-id.ts';

const MAX_HALF = 18_446_744_073_709_551_615n;

/** Halves of an ID, mostly where something changes: small, around powers of ten and two, the last. */
const half = fc.oneof(
  fc.bigInt({ min: 0n, max: MAX_HALF }),
  fc.bigInt({ min: 0n, max: 20n }),
  fc.bigInt({ min: MAX_HALF - 3n, max: MAX_HALF }),
  fc
    .tuple(fc.integer({ min: 1, max: 19 }), fc.integer({ min: -2, max: 2 }))
    .map(([digits, offset]) => 10n ** BigInt(digits) + BigInt(offset)),
  fc.integer({ min: -2, max: 2 }).map((offset) => 2n ** 53n + BigInt(offset)),
);
const parts = fc.record({ milliseconds: half, sequence: half });
const eventId = parts.map(({ milliseconds, sequence }) => makeEventId(milliseconds, sequence));

function position(id: EventId): bigint {
  const { milliseconds, sequence } = eventIdParts(id);
  return milliseconds * (MAX_HALF + 1n) + sequence;
}

describe('reading and printing', () => {
  it('is exact both ways', () => {
    fc.assert(
      fc.property(parts, ({ milliseconds, sequence }) => {
        const id = makeEventId(milliseconds, sequence);
        expect(id).toBe(`${milliseconds}-${sequence}`);
        expect(isEventId(id)).toBe(true);
        expect(parseEventId(id)).toBe(id);
        expect(eventIdParts(id)).toEqual({ milliseconds, sequence });
      }),
    );
  });

  it('takes milliseconds alone for their first event', () => {
    expect(parseEventId('1526919030474')).toBe('1526919030474-0');
    expect(parseEventId('0')).toBe(ZERO_ID);
  });

  it('has one form for each ID', () => {
    const others = ['', '-', '1-', '-1', '01-0', '0-01', '1-2-3', ' 1-1', '1-1\n', '+1-1', '1.0-0'];
    const tooLarge = ['18446744073709551616-0', '0-18446744073709551616', '99999999999999999999-0'];
    const notDigits = ['1-x', '0x1-0', '1e3-0', '١-٠', '$', '+', 'now'];
    for (const text of [...others, ...tooLarge, ...notDigits]) {
      expect(isEventId(text), text).toBe(false);
      expect(() => parseEventId(text, 'after'), text).toThrow(InvalidInput);
    }
    expect(() => parseEventId('007')).toThrow(InvalidInput);
  });

  it('says which field is wrong, and what an ID looks like', () => {
    expect(() => parseEventId('yesterday', 'after')).toThrow(
      expect.objectContaining({
        code: 'invalid_event_id',
        field: 'after',
        message: expect.stringMatching(/^after must be an event ID like \d+-\d+/),
      }),
    );
  });

  it('never takes anything that is not printed the same', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (!isEventId(text)) return;
        const { milliseconds, sequence } = eventIdParts(text);
        expect(makeEventId(milliseconds, sequence)).toBe(text);
      }),
    );
  });
});

describe('order', () => {
  it('is that of the numbers', () => {
    fc.assert(
      fc.property(eventId, eventId, (a, b) => {
        const difference = position(a) - position(b);
        const expected = difference < 0n ? -1 : difference > 0n ? 1 : 0;
        expect(Math.sign(compareEventIds(a, b))).toBe(expected);
        expect(isAfter(a, b)).toBe(expected > 0);
        expect(laterOf(a, b)).toBe(expected < 0 ? b : a);
      }),
      { numRuns: 2000 },
    );
  });

  it('is that of the sequences within a millisecond', () => {
    fc.assert(
      fc.property(half, half, half, (milliseconds, a, b) => {
        const compared = compareEventIds(
          makeEventId(milliseconds, a),
          makeEventId(milliseconds, b),
        );
        expect(Math.sign(compared)).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it('begins with 0-0 and ends with the greatest ID', () => {
    fc.assert(
      fc.property(eventId, (id) => {
        expect(compareEventIds(ZERO_ID, id)).toBeLessThanOrEqual(0);
        expect(compareEventIds(MAX_ID, id)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('neighbours', () => {
  it('are one apart', () => {
    fc.assert(
      fc.property(eventId, (id) => {
        const successor = successorOf(id);
        if (successor === undefined) expect(id).toBe(MAX_ID);
        else expect(position(successor)).toBe(position(id) + 1n);
        if (id !== ZERO_ID) expect(position(predecessorOf(id))).toBe(position(id) - 1n);
      }),
    );
  });

  it('are each other’s', () => {
    fc.assert(
      fc.property(eventId, (id) => {
        const successor = successorOf(id);
        if (successor !== undefined) expect(predecessorOf(successor)).toBe(id);
        if (id !== ZERO_ID) expect(successorOf(predecessorOf(id))).toBe(id);
      }),
    );
  });

  it('end where the IDs end', () => {
    expect(successorOf(MAX_ID)).toBeUndefined();
    expect(predecessorOf(ZERO_ID)).toBe(ZERO_ID);
    expect(successorOf(makeEventId(5, MAX_HALF))).toBe('6-0');
    expect(predecessorOf(makeEventId(6, 0))).toBe(`5-${MAX_HALF}`);
  });
});

describe('the next ID of a log', () => {
  const time = fc.integer({ min: 0, max: 8_640_000_000_000_000 });

  it('comes after the last one, and at its time where it can', () => {
    fc.assert(
      fc.property(eventId, time, (last, now) => {
        const next = nextEventId(last, now);
        if (next === undefined) {
          expect(last).toBe(MAX_ID);
        } else if (BigInt(now) > eventIdParts(last).milliseconds) {
          expect(next).toBe(`${now}-0`);
        } else {
          expect(next).toBe(successorOf(last));
        }
      }),
    );
  });

  it('does not go back with the clock', () => {
    expect(nextEventId('1000-5' as EventId, 999)).toBe('1000-6');
    expect(nextEventId('1000-5' as EventId, 1000)).toBe('1000-6');
    expect(nextEventId('1000-5' as EventId, 1001)).toBe('1001-0');
    expect(nextEventId(ZERO_ID, 0)).toBe('0-1');
    expect(nextEventId(MAX_ID, 1)).toBeUndefined();
  });
});

describe('the cursor before a time', () => {
  it('has every ID of that time after it, and none from before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8_640_000_000_000_000 }), half, (time, sequence) => {
        const cursor = cursorBefore(time);
        expect(isAfter(makeEventId(time, sequence), cursor)).toBe(true);
        expect(isAfter(makeEventId(time - 1, sequence), cursor)).toBe(false);
      }),
    );
  });

  it('is 0-0 for all times before 1970', () => {
    for (const time of [0, -1, -1e12]) expect(cursorBefore(time)).toBe(ZERO_ID);
    expect(cursorBefore(1.9)).toBe(`0-${MAX_HALF}`);
  });
});
