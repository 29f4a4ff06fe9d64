import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEvents } from '../../../../../src/event/event.ts';
import { makeEventId } from '../../../../../src/event/event-id.ts';
import { eventFrom, readEntry, writeEntry } from '../../../../../src/stores/embedded/log/entry.ts';

const id = makeEventId(1, 0);

describe('a stored entry', () => {
  it('is read as it was written', () => {
    const types = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
    const payloads = fc.oneof(fc.string({ unit: 'grapheme' }), fc.jsonValue(), fc.uint8Array());
    const metas = fc.option(fc.dictionary(fc.string(), fc.string()), { nil: undefined });
    const events = fc.record({ type: types, payload: payloads, meta: metas });
    fc.assert(
      fc.property(events, (event) => {
        const [encoded] = encodeEvents([{ ...event, payload: event.payload as string }]);
        const { type, codec, data, meta } = readEntry(writeEntry(encoded!));
        expect({ type, codec, data, meta }).toEqual({
          type: encoded!.type,
          codec: encoded!.codec,
          data: encoded!.data instanceof Uint8Array ? new Uint8Array(encoded!.data) : encoded!.data,
          meta: encoded!.meta,
        });
      }),
    );
  });

  it('may be anything at all: nothing stops a reader', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const event = eventFrom(id, readEntry(bytes));
        expect(event.type.length).toBeGreaterThan(0);
        expect(() => JSON.parse(event.payloadJson)).not.toThrow();
        expect(() => event.meta).not.toThrow();
      }),
    );
  });

  it.each([
    ['nothing', []],
    ['no type', [0, 0, 0, 1]],
    ['a type beyond its end', [0, 0, 9, 65]],
    ['a meta beyond its end', [4, 0, 1, 0, 0, 0, 9, 65]],
    ['an unknown shape', [3, 0, 1, 65]],
  ])('of %s is an event of type unknown', (_, bytes) => {
    const entry = readEntry(Uint8Array.from(bytes));
    expect(entry).toEqual({ type: 'unknown', codec: 'bytes', data: Uint8Array.from(bytes) });
  });

  it('has bytes of its own', () => {
    const payload = Uint8Array.of(1, 2, 3);
    const [encoded] = encodeEvents([{ type: 'Sent', payload }]);
    const written = writeEntry(encoded!);
    payload.fill(0);
    const { data } = readEntry(written);
    written.fill(0);
    expect(data).toEqual(Uint8Array.of(1, 2, 3));
    expect(Buffer.isBuffer(data)).toBe(false);
  });
});
