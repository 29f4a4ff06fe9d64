import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_EVENT_LIMITS,
  encodeEvents,
  type JsonValue,
  type NewEvent,
  StoredEvent,
  storedEvent,
} from '../../../src/event/event.ts';
import type { EventId } from '../../../src/event/event-id.ts';

const ID = '1526919030474-55' as EventId;

function roundTrip(event: NewEvent): StoredEvent {
  const [encoded] = encodeEvents([event]);
  return storedEvent(ID, encoded!);
}

/** JSON as it comes back from its text: -0 is 0 there, and `__proto__` is a name like any other. */
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
const text = fc.string({ unit: 'grapheme' });
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.json({ maxDepth: 2 }));

describe('a payload', () => {
  it('of text stays the string that it is', () => {
    fc.assert(
      fc.property(text, (payload) => {
        const stored = roundTrip({ type: 'T', payload });
        expect(stored.codec).toBe('text');
        expect(stored.payload).toBe(payload);
        expect(JSON.parse(stored.payloadJson)).toBe(payload);
      }),
    );
  });

  it('of any other JSON comes back equal, and its text is handed through', () => {
    fc.assert(
      fc.property(json, (payload) => {
        const stored = roundTrip({ type: 'T', payload });
        expect(stored.payload).toEqual(payload);
        if (typeof payload !== 'string') expect(stored.payloadJson).toBe(JSON.stringify(payload));
        expect(JSON.parse(stored.payloadJson)).toEqual(payload);
        expect(JSON.parse(JSON.stringify(stored))).toEqual({ id: ID, type: 'T', payload });
      }),
    );
  });

  it('of bytes comes back as bytes, and as base64 in JSON', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (payload) => {
        const stored = roundTrip({ type: 'T', payload });
        expect(stored.payload).toEqual(payload);
        const base64 = Buffer.from(payload).toString('base64');
        expect(JSON.parse(stored.payloadJson)).toBe(base64);
        expect(stored.toJSON()).toEqual({ id: ID, type: 'T', payload: base64, encoding: 'base64' });
      }),
    );
  });

  it('that looks like JSON but is text is not taken for JSON', () => {
    for (const payload of ['{"a":1}', '"quoted"', '42', 'null', 'true', '[]', '']) {
      const stored = roundTrip({ type: 'T', payload });
      expect(stored.payload).toBe(payload);
      expect(stored.payloadJson).toBe(JSON.stringify(payload));
    }
  });

  it('is counted in bytes', () => {
    const [encoded] = encodeEvents([{ type: 'ü', payload: '🐟', meta: { a: 'é' } }]);
    expect(encoded?.size).toBe(2 + 4 + Buffer.byteLength('{"a":"é"}'));
  });
});

describe('stored bytes, whoever wrote them,', () => {
  it('never throw and never break JSON', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('text' as const, 'json' as const),
        anyText,
        fc.option(anyText, { nil: undefined }),
        (codec, data, meta) => {
          const stored = new StoredEvent(ID, 'T', codec, data, meta);
          expect(() => JSON.parse(stored.payloadJson)).not.toThrow();
          if (stored.metaJson !== undefined) {
            expect(JSON.parse(stored.metaJson)).toEqual(stored.meta);
          }
          expect(() => JSON.parse(JSON.stringify(stored))).not.toThrow();
        },
      ),
    );
  });

  it('that are no JSON are delivered as text', () => {
    for (const data of ['{broken', '', 'undefined', "{'a':1}", '{"a":1}}', '\u0000']) {
      const stored = new StoredEvent(ID, 'T', 'json', data);
      expect(stored.payload).toBe(data);
      expect(stored.payloadJson).toBe(JSON.stringify(data));
    }
  });

  it('that are no object are no meta', () => {
    for (const meta of ['{broken', '[]', 'null', '"text"', '1', '']) {
      const stored = new StoredEvent(ID, 'T', 'text', 'payload', meta);
      expect(stored.meta).toBeUndefined();
      expect(stored.metaJson).toBeUndefined();
      expect('meta' in stored.toJSON()).toBe(false);
    }
  });
});

describe('encodeEvents', () => {
  const limits = { ...DEFAULT_EVENT_LIMITS, maxPayloadBytes: 8, maxMetaBytes: 10 };
  const cyclic: Record<string, unknown> = {};
  cyclic.itself = cyclic;
  const good = { type: 'T', payload: '' };

  it.each<[code: string, field: string, why: string, events: unknown[]]>([
    ['invalid_event', 'events', 'no event', []],
    ['invalid_event', 'events[0].type', 'no type', [{ payload: '' }]],
    ['invalid_event', 'events[0].type', 'an empty type', [{ type: '', payload: '' }]],
    ['invalid_event', 'events[0].type', 'a long type', [{ type: 'x'.repeat(257), payload: '' }]],
    ['invalid_event', 'events[1].type', 'a tab in the type', [good, { type: '\t', payload: '' }]],
    ['invalid_event', 'events[0].type', 'half a character', [{ type: '\udc00', payload: '' }]],
    ['invalid_event', 'events[0].payload', 'no payload', [{ type: 'T' }]],
    ['invalid_event', 'events[0].payload', 'a function', [{ type: 'T', payload: () => {} }]],
    ['invalid_event', 'events[0].payload', 'a bigint', [{ type: 'T', payload: 1n }]],
    ['invalid_event', 'events[0].payload', 'a cycle', [{ type: 'T', payload: cyclic }]],
    ['invalid_event', 'events[0].payload', 'half a character', [{ type: 'T', payload: 'a\ud800' }]],
    ['invalid_event', 'events[0].meta', 'meta that is an array', [{ ...good, meta: [] }]],
    ['invalid_event', 'events[0].meta', 'meta that is null', [{ ...good, meta: null }]],
    ['invalid_event', 'events[0].meta', 'meta that is text', [{ ...good, meta: 'text' }]],
    ['invalid_event', 'events[0].payload', 'NaN', [{ type: 'T', payload: Number.NaN }]],
    ['invalid_event', 'events[0].payload', '1e400', [{ type: 'T', payload: JSON.parse('1e400') }]],
    [
      'invalid_event',
      'events[0].payload.items[1].price',
      'a number that is too large, deep inside',
      [{ type: 'T', payload: JSON.parse('{"a":null,"items":[{},{"price":-1e309}]}') }],
    ],
    ['invalid_event', 'events[1].meta.at', 'Infinity', [good, { ...good, meta: { at: 1 / 0 } }]],
    ['too_large', 'events[0].payload', 'a large payload', [{ type: 'T', payload: '123456789' }]],
    ['too_large', 'events[0].payload', 'a wide payload', [{ type: 'T', payload: '🐟🐟🐟' }]],
    [
      'too_large',
      'events[1].payload',
      'large JSON',
      [good, { type: 'T', payload: '12345678'.split('') }],
    ],
    ['too_large', 'events[0].meta', 'large meta', [{ ...good, meta: { a: '1234567' } }]],
  ])('answers %s for %s: %s', (code, field, _why, events) => {
    expect(() => encodeEvents(events as NewEvent[], limits)).toThrow(
      expect.objectContaining({ code, field, message: expect.stringMatching(/ must /) }),
    );
  });

  it('takes null, and what says itself how it is written', () => {
    const own = { toJSON: () => [null], hidden: Number.NaN };
    const payload = { none: null, list: [null, Number.MAX_VALUE], own } as unknown as JsonValue;
    const stored = roundTrip({ type: 'T', payload });
    expect(stored.payload).toEqual({
      none: null,
      list: [null, 1.7976931348623157e308],
      own: [null],
    });
  });

  it('takes what is exactly at the limits', () => {
    const events = [
      { type: 'x'.repeat(256), payload: '12345678' },
      { type: 'T', payload: '🐟🐟', meta: { a: '12' } },
      { type: 'T', payload: new Uint8Array(8) },
    ];
    expect(encodeEvents(events, limits)).toHaveLength(3);
  });

  it('counts the events of an append, and their bytes together', () => {
    const few = { ...DEFAULT_EVENT_LIMITS, maxEventsPerAppend: 2, maxAppendBytes: 10 };
    const event = (payload: string) => ({ type: 'T', payload });
    expect(encodeEvents([event('1234'), event('1234')], few)).toHaveLength(2);
    const tooLarge = expect.objectContaining({ code: 'too_large', field: 'events' });
    expect(() => encodeEvents([event('1234'), event('12345')], few)).toThrow(tooLarge);
    expect(() => encodeEvents([event(''), event(''), event('')], few)).toThrow(tooLarge);
  });
});
