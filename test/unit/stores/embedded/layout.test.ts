import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareEventIds, makeEventId } from '../../../../src/event/event-id.ts';
import { type EventKey, eventKeys } from '../../../../src/stores/embedded/layout.ts';

const half = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc.bigInt(0n, 300n),
  fc.bigInt(2n ** 53n - 9n, 2n ** 53n + 9n),
);
const key: fc.Arbitrary<EventKey> = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), half, half)
  .map(([log, milliseconds, sequence]) => [log, makeEventId(milliseconds, sequence)]);

function bytesOf(each: EventKey): Buffer {
  const target = Buffer.alloc(40);
  return target.subarray(3, eventKeys.writeKey(each, target, 3));
}

describe('the key of an event', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(key, (each) => {
        const bytes = bytesOf(each);
        expect(eventKeys.readKey(bytes, 0, bytes.length)).toEqual(each);
      }),
    );
  });

  it('orders as bytes like log and ID', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const expected = Math.sign(a[0] - b[0] || compareEventIds(a[1], b[1]));
        expect(Math.sign(Buffer.compare(bytesOf(a), bytesOf(b)))).toBe(expected);
      }),
    );
  });
});
