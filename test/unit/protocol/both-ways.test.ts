/** What one end of the wire writes, the other reads as it was meant. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Appended } from '../../../src/event/appended.ts';
import type { MillraceError } from '../../../src/event/error.ts';
import { type Codec, type NewEvent, StoredEvent } from '../../../src/event/event.ts';
import { type EventId, makeEventId } from '../../../src/event/event-id.ts';
import { accountLog, parseLogName } from '../../../src/event/log-name.ts';
import type { Producer } from '../../../src/event/producer.ts';
import type { Start } from '../../../src/event/start.ts';
import { ProducerFenced, ProducerGap, VersionConflict } from '../../../src/event/store-errors.ts';
import { LimitReached } from '../../../src/gateway/limits/limit-reached.ts';
import { readAppend, writeAppend } from '../../../src/protocol/append-request.ts';
import { readAppended, writeAppended } from '../../../src/protocol/appended.ts';
import { ERROR_CODES, type KnownCode } from '../../../src/protocol/error-codes.ts';
import { decodeEvent, encodeEvent } from '../../../src/protocol/event-json.ts';
import { eventShape, firstPlace, type Place, pieceAt } from '../../../src/protocol/event-pieces.ts';
import {
  eventMessages,
  failedMessage,
  KEEP_ALIVE,
  liveMessage,
  messagePiece,
  OPENING,
  readMessage,
  resetMessage,
  type StreamMessage,
  trimmedMessage,
} from '../../../src/protocol/event-stream.ts';
import {
  appendedFrame,
  errorFrame,
  eventsFrames,
  type Frame,
  liveFrame,
  pongFrame,
  readFrame,
  resetFrame,
  trimmedFrame,
} from '../../../src/protocol/json-frames.ts';
import { parseOperation, writeOperation } from '../../../src/protocol/json-operations.ts';
import type { Operation } from '../../../src/protocol/operation.ts';
import { pageAround, pageEvents, readPage } from '../../../src/protocol/page.ts';
import { detailsOf, problemOf, protocolError, readProblem } from '../../../src/protocol/problem.ts';
import { ServerSentEventReader } from '../../../src/protocol/server-sent-events.ts';
import { parseStart, startFields } from '../../../src/protocol/start.ts';

const half = fc.bigInt({ min: 0n, max: 18446744073709551615n });
const eventId = fc.tuple(half, half).map(([ms, seq]) => makeEventId(ms, seq));
const namePart = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'aZ0._-'), minLength: 1, maxLength });
const logName = fc
  .tuple(namePart(64), namePart(128))
  .map(([category, id]) => parseLogName(`${category}:${id}`));
const ref = fc.oneof(
  fc.constant(undefined),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
);
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('a\r\nb\rc\n'));
/** JSON knows no -0. */
const jsonValue = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)));
/** JSON as others may have stored it, with white space of its own. */
const json = fc
  .tuple(jsonValue, fc.constantFrom('', ' ', '\n', '\r\n\t'))
  .map(([value, space]) => `${space}${JSON.stringify(value, null, space)}${space}`);
const meta = fc.dictionary(fc.string(), jsonValue).map((value) => JSON.stringify(value));
const stored = fc
  .tuple(
    eventId,
    text,
    fc.oneof(
      fc.tuple(fc.constant<Codec>('text'), text),
      fc.tuple(fc.constant<Codec>('json'), fc.oneof(json, text)),
      fc.tuple(fc.constant<Codec>('bytes'), fc.uint8Array({ maxLength: 50 })),
    ),
    fc.oneof(fc.constant(undefined), meta, text),
  )
  .map(([id, type, [codec, data], rawMeta]) => new StoredEvent(id, type, codec, data, rawMeta));
const newEvent: fc.Arbitrary<NewEvent> = fc
  .record(
    {
      type: fc.string({ minLength: 1, maxLength: 40 }),
      payload: fc.oneof(
        fc.string({ unit: 'grapheme' }),
        jsonValue,
        fc.uint8Array({ maxLength: 50 }),
      ),
      meta: fc.dictionary(fc.string(), jsonValue),
    },
    { requiredKeys: ['type', 'payload'] },
  )
  .map((event) => event as NewEvent);
const newEvents = fc.array(newEvent, { minLength: 1, maxLength: 4 });
const count = fc.nat();
const producer: fc.Arbitrary<Producer | undefined> = fc.option(
  fc.record({
    id: fc.string({ unit: fc.constantFrom(...'aZ0._:-'), minLength: 1, maxLength: 128 }),
    epoch: count,
    seq: fc.maxSafeNat(),
  }),
  { nil: undefined },
);
const expected = fc.option(eventId, { nil: undefined });
const start: fc.Arbitrary<Start> = fc.oneof(
  fc.constant<Start>('now'),
  eventId.map((after) => ({ after })),
  fc.integer({ min: 1, max: 10_000 }).map((last) => ({ last })),
  fc
    .date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    })
    .map((date) => ({ since: date.getTime() })),
);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({
    op: fc.constant('append' as const),
    ref,
    log: logName,
    events: newEvents,
    expected,
    producer,
  }),
  fc.record({ op: fc.constant('subscribe' as const), ref, log: logName, start }),
  fc.record({ op: fc.constant('unsubscribe' as const), ref, log: logName }),
  fc.record({ op: fc.constantFrom('pause' as const, 'resume' as const, 'ping' as const), ref }),
);
const appended: fc.Arbitrary<Appended> = fc.record({
  ids: fc.array(eventId, { maxLength: 5 }),
  version: eventId,
  duplicate: fc.boolean(),
});
const error: fc.Arbitrary<MillraceError> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...(Object.keys(ERROR_CODES) as KnownCode[])), text)
    .map(([code, message]) => protocolError(code, message)),
  fc.tuple(logName, eventId, eventId).map((all) => new VersionConflict(...all)),
  fc.tuple(fc.string(), count, count).map((all) => new ProducerGap(...all)),
  fc.tuple(fc.string(), count, count).map((all) => new ProducerFenced(...all)),
  fc
    .tuple(text, fc.integer({ min: 1 }))
    .map(([message, after]) => new LimitReached('rate_limited', message, after)),
);

/** What is to be told of an event, whoever looks at it. */
const seen = ({ id, type, payload, meta }: StoredEvent) => ({ id, type, payload, meta });
const failureOf = (error: MillraceError) => ({
  code: error.code,
  message: error.message,
  ...detailsOf(error),
});

function both<Value>(name: string, values: fc.Arbitrary<Value>, check: (value: Value) => void) {
  test(name, () => fc.assert(fc.property(values, check)));
}

describe('an event', () => {
  both('as it is delivered', stored, (event) => {
    const read = decodeEvent(JSON.parse(encodeEvent(event)), 'event');
    expect(seen(read)).toEqual(seen(event));
    // And once more: it can be kept, and handed on.
    expect(seen(decodeEvent(JSON.parse(encodeEvent(read)), 'event'))).toEqual(seen(event));
  });
});

describe('an operation', () => {
  both('over a socket', operation, (value) => {
    expect(parseOperation(writeOperation(value), 'nobody')).toEqual(value);
  });

  both('as a request', fc.record({ events: newEvents, expected, producer }), (request) => {
    const { body, headers } = writeAppend(request);
    expect(readAppend(body, (name) => headers[name])).toEqual(request);
  });

  both('where it starts', start, (value) => {
    expect(parseStart(startFields(value))).toEqual(value);
  });

  test.each([
    ['NaN', { type: 'T', payload: { price: Number.NaN } }, 'events[0].payload.price'],
    ['half a character', { type: 'T', payload: '\ud83c' }, 'events[0].payload'],
    ['no payload', { type: 'T' } as NewEvent, 'events[0].payload'],
    ['a control character', { type: 'a\n', payload: 1 }, 'events[0].type'],
  ])('is not sent with what no log takes: %s', (_what, event, field) => {
    const write = () =>
      writeOperation({ op: 'append', ref: 1, log: accountLog('1'), events: [event] });
    expect(write).toThrow(expect.objectContaining({ code: 'invalid_event', field }));
  });

  test.each([Number.NaN, Infinity, -62_167_219_200_001, 253_402_300_800_000])(
    'is not sent with a time that has no text: %s',
    (since) => {
      const write = () =>
        writeOperation({ op: 'subscribe', ref: 1, log: accountLog('1'), start: { since } });
      expect(write).toThrow(expect.objectContaining({ code: 'invalid_time', field: 'since' }));
    },
  );

  test('is not sent with a ref that would not come back', () => {
    expect(() => writeOperation({ op: 'ping', ref: Number.NaN })).toThrow('ref must be');
    expect(() => writeOperation({ op: 'ping', ref: 'x'.repeat(129) })).toThrow('ref must be');
  });
});

describe('a frame', () => {
  both('with events', fc.tuple(logName, fc.array(stored, { maxLength: 6 })), ([log, events]) => {
    const frames = eventsFrames(log, events).map(readFrame);
    const read = frames.flatMap((frame) => {
      if (frame.op !== 'events' || frame.log !== log) throw new Error(`got ${frame.op}`);
      return frame.events.map(seen);
    });
    expect(read).toEqual(events.map(seen));
  });

  both(
    'with anything else',
    fc.record({ log: logName, id: eventId, ref, appended, error, about: fc.boolean() }),
    ({ log, id, ref, appended, error, about }) => {
      const subject = about ? log : undefined;
      const frames: [string, Frame][] = [
        [liveFrame(log, id), { op: 'live', log, at: id }],
        [trimmedFrame(log, id), { op: 'trimmed', log, resumeAfter: id }],
        [resetFrame(log, id), { op: 'reset', log, version: id }],
        [appendedFrame(ref, appended), { op: 'appended', ref, appended }],
        [pongFrame(ref), { op: 'pong', ref }],
        [
          errorFrame(error, ref, subject),
          { op: 'error', ref, log: subject, failure: failureOf(error) },
        ],
      ];
      for (const [message, frame] of frames) expect(readFrame(message)).toEqual(frame);
    },
  );
});

describe('an answer over HTTP', () => {
  both('to an append', appended, (value) => {
    expect(readAppended(writeAppended(value))).toEqual(value);
    expect(JSON.parse(writeAppended(value))).toEqual(value);
  });

  both(
    'that is a page',
    fc.record({
      events: fc.array(stored, { maxLength: 6 }),
      facts: fc.record({ log: logName, cursor: eventId, more: fc.boolean(), version: eventId }),
    }),
    ({ events, facts }) => {
      const { head, tail } = pageAround(facts);
      const { events: read, ...rest } = readPage(`${head}${pageEvents(events)}${tail}`);
      expect(rest).toEqual(facts);
      expect(read.map(seen)).toEqual(events.map(seen));
    },
  );

  both('that is a problem', fc.tuple(error, eventId), ([value, id]) => {
    const more = { resumeAfter: id, version: id };
    const problem = JSON.stringify(problemOf(value, more));
    expect(readProblem(problem)).toEqual({ ...failureOf(value), ...more });
  });
});

describe('an event stream', () => {
  type Told = [message: string, told: object, cursor: EventId | undefined];
  const told: fc.Arbitrary<Told> = fc.oneof(
    stored.map((event): Told => [eventMessages([event]), eventOf(event), event.id]),
    stored.map((event): Told => [inPieces(event), eventOf(event), event.id]),
    eventId.map((at): Told => [liveMessage(at, true), { kind: 'live', at }, at]),
    eventId.map((at): Told => [liveMessage(at, false), { kind: 'live', at }, undefined]),
    eventId.map((id): Told => [trimmedMessage(id), { kind: 'trimmed', resumeAfter: id }, id]),
    eventId.map(
      (version): Told => [resetMessage(version), { kind: 'reset', version }, '0-0' as EventId],
    ),
    error.map(
      (value): Told => [
        failedMessage(value),
        { kind: 'failed', failure: failureOf(value) },
        undefined,
      ],
    ),
  );

  both(
    'cut anywhere',
    fc.tuple(fc.array(told, { maxLength: 5 }), fc.integer({ min: 1, max: 40 })),
    ([all, size]) => {
      const text = `${OPENING}${all.map(([message]) => KEEP_ALIVE + message).join('')}`;
      const reader = new ServerSentEventReader();
      const read: object[] = [];
      const cursors: string[] = [];
      for (let at = 0; at < text.length; at += size) {
        for (const message of reader.read(text.slice(at, at + size))) {
          read.push(plain(readMessage(message)));
          cursors.push(message.lastEventId);
        }
      }
      expect(read).toEqual(all.map(([, what]) => what));
      let cursor = '';
      expect(cursors).toEqual(all.map(([, , id]) => (cursor = id ?? cursor)));
      expect(reader.lastEventId).toBe(cursor);
      expect(reader.retry).toBe(1_000);
    },
  );

  function eventOf(event: StoredEvent) {
    return { kind: 'event', event: seen(event) };
  }

  function plain(message: StreamMessage): object {
    return message.kind === 'event' ? eventOf(message.event) : message;
  }

  function inPieces(event: StoredEvent): string {
    let text = '';
    let place: Place | undefined = { ...firstPlace(eventShape(event)), step: 3 };
    for (let isFirst = true; place !== undefined; isFirst = false) {
      const piece = pieceAt(place, event);
      text += messagePiece(piece, isFirst ? event.id : undefined);
      place = piece.next;
    }
    return text;
  }
});
